// What ended up in the container's /proc. A destination that the spec names outside of it gets there
// by a link of the image, and a covered file of /proc tells lies to whoever trusts it.
import { invalidArgument } from "../error.ts";
import { readText } from "../kernel/file.ts";
import { mountPointsBelow } from "../linux/mountinfo.ts";
import { quote } from "../oci/invalid-spec.ts";
import { isCoverable } from "../oci/proc-file.ts";
import type { Linux } from "../oci/spec.ts";

const PROC = "/proc/";

/** Of a process whose mounts are all made: nobody can move them any more. Throws an AgentError. */
export function checkProcMounts(
  pid: number,
  { maskedPaths = [], readonlyPaths = [] }: Linux,
): void {
  const asked = [...maskedPaths, ...readonlyPaths];
  for (const mountPoint of mountPointsBelow(PROC, readText(`/proc/${pid}/mountinfo`))) {
    if (isCoverable(mountPoint.slice(PROC.length))) continue;
    if (asked.some((path) => mountPoint === path || mountPoint.startsWith(`${path}/`))) continue;
    throw invalidArgument(`${quote(mountPoint)} cannot be mounted because it is inside /proc`);
  }
}
