import { expect, test } from "bun:test";
import { fileSystems } from "../../../src/metrics/file-systems.ts";

const line = (device: string, at: string, type: string, source: string, options = "rw") =>
  `1 2 ${device} / ${at} rw,relatime - ${type} ${source} ${options}`;

async function mountsIn(...lines: readonly string[]) {
  const [bytes, inodes] = await fileSystems(lines.join("\n"));
  const totals = bytes?.samples.filter(({ labels }) => labels["item"] === "total") ?? [];
  expect(inodes?.samples.length).toBe(bytes?.samples.length);
  return totals.map(({ labels }) => [labels["mount"], labels["device"]]);
}

test("file systems on disks are told, each once and where it was mounted first", async () => {
  const mounts = await mountsIn(
    line("254:1", "/", "ext4", "/dev/vda1"),
    line("254:1", "/tmp", "ext4", "/dev/vda1"),
    line("0:30", "/usr", "overlay", "overlay"),
    line("0:31", "/etc", "btrfs", ""),
    line("0:32", "/proc", "proc", "proc"),
    line("254:2", "/var", "xfs", "/dev/vda2", "ro,attr2"),
    line("254:3", "/not/there", "xfs", "/dev/vda3"),
  );
  expect(mounts).toEqual([
    ["/", "vda1"],
    ["/usr", "overlay"],
    ["/etc", "0:31"],
  ]);
});

test("what another one is mounted over is not taken for it", async () => {
  const mounts = await mountsIn(
    line("254:1", "/", "ext4", "/dev/vda1"),
    line("0:30", "/usr", "overlay", "overlay"),
    line("0:31", "/usr", "overlay", "overlay"),
    line("254:2", "/etc", "xfs", "/dev/vda2"),
    line("0:32", "/etc", "tmpfs", "tmpfs"),
    line("254:2", "/var", "xfs", "/dev/vda2"),
  );
  expect(mounts).toEqual([
    ["/", "vda1"],
    ["/usr", "overlay"],
    ["/var", "vda2"],
  ]);
});

test("what is used and what is available are all there is", async () => {
  const [bytes] = await fileSystems(line("254:1", "/", "ext4", "/dev/vda1"));
  const value = (item: string) =>
    bytes?.samples.find(({ labels }) => labels["item"] === item)?.value ?? Number.NaN;
  expect(value("total")).toBeGreaterThan(0);
  expect(value("used") + value("available")).toBe(value("total"));
});

test("more of them than an answer can hold are cut, and those with names that are too long left out", async () => {
  const many = Array.from({ length: 400 }, (_, index) =>
    line(`1:${index}`, `/${"./".repeat(index)}`, "ext4", "/dev/x"),
  );
  expect(await mountsIn(...many)).toHaveLength(128);
  expect(await mountsIn(line("1:1", `/${"x".repeat(1024)}`, "ext4", "/dev/x"))).toEqual([]);
});
