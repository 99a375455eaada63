// How much of a kind a spec may ask for. Each of these becomes some system calls of one program, which
// has an end; and what the kernel looks through for each of the others must not be long.
import { InvalidSpec } from "./invalid-spec.ts";
import type { ContainerSpec } from "./valid-spec.ts";

/** A hundred are many. */
const MOST = 1024;

/** NGROUPS_MAX of linux/limits.h */
const MOST_GROUPS = 65_536;

export function validCounts({ mounts = [], process, linux }: ContainerSpec): void {
  const { devices = [], maskedPaths = [], readonlyPaths = [], sysctl = {} } = linux;
  refuseMore("mounts", mounts.length);
  refuseMore("linux.devices", devices.length);
  refuseMore("linux.maskedPaths", maskedPaths.length);
  refuseMore("linux.readonlyPaths", readonlyPaths.length);
  refuseMore("linux.sysctl", Object.keys(sysctl).length);
  refuseMore("process.user.additionalGids", process.user.additionalGids?.length ?? 0, MOST_GROUPS);
}

function refuseMore(field: string, count: number, most = MOST): void {
  if (count > most) throw new InvalidSpec(`${field}: ${count} are asked for, ${most} are the most`);
}
