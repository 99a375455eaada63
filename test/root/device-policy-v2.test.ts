// What devices the processes of a v2 cgroup can open: in this machine's own hierarchy, if it has one.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createV2 } from "../../src/cgroup/v2.ts";
import { perform } from "../../src/kernel/perform.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { AT_FDCWD, S } from "../../src/linux/constants.ts";
import { makedev, mknodat } from "../../src/linux/fs.ts";
import type { DeviceCgroup } from "../../src/oci/resources.ts";
import { cleanCgroups, eventually, freshName, run, v2 } from "../support/cgroup.ts";
import { ENXIO, EPERM, UNDRIVEN, reading, writing } from "../support/device-policy.ts";

startReaper();
cleanCgroups();

test.skipIf(v2.skip)(
  `A v2 cgroup runs a program for its devices, and another one after an update${
    v2.skip ? " (skipped: needs root and cgroup v2)" : ""
  }`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "devices-"));
    using undo = new DisposableStack();
    undo.defer(() => rmSync(directory, { recursive: true }));
    const device = join(directory, "device");
    const cgroup = createV2([freshName()], v2.main);
    const out = join(directory, "out");
    const uses = "head -c 1 /dev/zero | wc -c; : >/dev/null && echo null";
    const script = `{ ${uses}; ${reading(device)}; ${writing(device)}; } >${out}`;
    const tell = async (): Promise<string[]> => {
      const child = await run(cgroup, script);
      await child.exit;
      return readFileSync(out, "utf8").trim().split("\n");
    };
    const rule = (allow: boolean, access: string): DeviceCgroup => ({
      ...UNDRIVEN,
      allow,
      access,
    });
    const number = makedev(UNDRIVEN.major, UNDRIVEN.minor);
    perform("make a node", mknodat(AT_FDCWD, device, S.IFCHR | 0o600, number));
    const USUAL = ["1", "null"];
    expect(await tell()).toEqual([...USUAL, ENXIO, ENXIO]);
    await cgroup.apply({});
    expect(await tell()).toEqual([...USUAL, EPERM, EPERM]);
    await cgroup.apply({ devices: [rule(true, "rw")] });
    expect(await tell()).toEqual([...USUAL, ENXIO, ENXIO]);
    await cgroup.apply({ devices: [rule(false, "w")] });
    expect(await tell()).toEqual([...USUAL, ENXIO, EPERM]);
    await cgroup.apply({ devices: [{ allow: true, type: "a" }] });
    expect(await tell()).toEqual([...USUAL, ENXIO, ENXIO]);
    const programs = () => countOf("bpf-prog");
    expect(programs()).toBe(1);
    await cgroup.destroy();
    await eventually(() => programs() === 0);
  },
);

/** How many descriptors of this process are of one kind. */
function countOf(kind: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => linkOf(`/proc/self/fd/${fd}`).endsWith(kind))
    .length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor by which the directory was read is closed by now.
    return "";
  }
}
