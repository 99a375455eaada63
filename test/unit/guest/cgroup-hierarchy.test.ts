import { describe, expect, test } from "bun:test";
import { cgroupMounts, v1Controllers } from "../../../src/guest/cgroup-hierarchy.ts";
import { formatFlags } from "../../../src/linux/format.ts";
import { MS } from "../../../src/linux/mount-flags.ts";
import { randomText, seeded } from "../../support/random.ts";

const HEAD = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n";
const ALL = ["cpuset", "cpu", "memory", "devices", "pids"];

/** As mount(8) would be told. */
const shown = (mounts: ReturnType<typeof cgroupMounts>) =>
  mounts.map(({ fstype, target, flags, data }) => {
    return `${fstype} ${target} ${formatFlags(BigInt(flags), "", MS)} ${data}`;
  });

describe("the controllers of v1", () => {
  test("are those that the kernel has on and Kata knows", () => {
    const text = `${HEAD}cpuset\t3\t4\t1\ncpu\t0\t1\t0\nmisc\t0\t1\t1\ndevices\t5\t4\t1\n`;
    expect(v1Controllers(text)).toEqual(["cpuset", "devices"]);
  });

  test.each([
    "",
    HEAD,
    "devices\t5\t4\n",
    "devices 5 4 1\n",
    "devices\tx\t4\t1\n",
    "devices\t5\t4\tyes\n",
    "#devices\t5\t4\t1\n",
    "\t5\t4\t1\n",
    "../etc\t5\t4\t1\n",
  ])("are none of %j", (text) => {
    expect(v1Controllers(text)).toEqual([]);
  });

  test("are never anything else, whatever the file holds", () => {
    const random = seeded(5);
    for (let i = 0; i < 1000; i++) {
      const name = randomText(random, 8);
      const names = v1Controllers(`${name}\t1\t1\t1\n${randomText(random, 40)}`);
      expect(names.filter((each) => !/^[a-z_]+$/.test(each))).toEqual([]);
    }
  });
});

describe("cgroups", () => {
  const V2 = ["cgroup2 /sys/fs/cgroup NOSUID|NODEV|NOEXEC|RELATIME nsdelegate"];

  test.each([
    ["by default", { unified: true, noV1: false }, ALL],
    ["by both words", { unified: true, noV1: true }, ALL],
    ["by the kernel's word for it alone", { unified: false, noV1: true }, ALL],
    ["where v1 is asked for and not there", { unified: false, noV1: false }, []],
    ["where v1 cannot keep devices away", { unified: false, noV1: false }, ["cpu", "memory"]],
  ])("are of version 2 %s", (_, choice, controllers) => {
    expect(shown(cgroupMounts(choice, controllers))).toEqual(V2);
  });

  test("are of version 1 where that is asked for and there, and nobody adds a hierarchy", () => {
    const mounts = cgroupMounts({ unified: false, noV1: false }, ["memory", "devices"]);
    expect(shown(mounts)).toEqual([
      "tmpfs /sys/fs/cgroup NOSUID|NODEV|NOEXEC mode=755",
      "cgroup /sys/fs/cgroup/memory NOSUID|NODEV|NOEXEC|RELATIME memory",
      "cgroup /sys/fs/cgroup/devices NOSUID|NODEV|NOEXEC|RELATIME devices",
      "tmpfs /sys/fs/cgroup RDONLY|NOSUID|NODEV|NOEXEC|REMOUNT mode=755",
    ]);
  });
});
