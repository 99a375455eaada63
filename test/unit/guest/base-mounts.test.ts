import { expect, test } from "bun:test";
import { BASE_MOUNTS } from "../../../src/guest/base-mounts.ts";
import { LINKS } from "../../../src/guest/links.ts";
import { formatFlags } from "../../../src/linux/format.ts";
import { MS } from "../../../src/linux/mount-flags.ts";

test("a guest has the mounts of Kata's own agent, in its order", () => {
  const rows = BASE_MOUNTS.map(({ fstype, source, target, flags }) => {
    return `${fstype} ${source} ${target} ${formatFlags(BigInt(flags), "", MS)}`;
  });
  expect(rows).toEqual([
    "proc proc /proc NOSUID|NODEV|NOEXEC",
    "sysfs sysfs /sys NOSUID|NODEV|NOEXEC",
    "devtmpfs dev /dev NOSUID",
    "tmpfs tmpfs /dev/shm NOSUID|NODEV",
    "devpts devpts /dev/pts NOSUID|NOEXEC",
    "tmpfs tmpfs /run NOSUID|NODEV",
  ]);
});

test("what is mounted inside another mount comes after it", () => {
  const targets = BASE_MOUNTS.map(({ target }) => target);
  const wrong = targets.filter((target, at) =>
    targets.slice(at + 1).some((later) => target.startsWith(`${later}/`)),
  );
  expect(wrong).toEqual([]);
});

test("links are made in directories that are a mount or the root's own", () => {
  expect(LINKS.map(({ path }) => path.slice(0, path.lastIndexOf("/")))).toEqual([
    ...Array.from({ length: 4 }, () => "/dev"),
    "/var",
  ]);
});
