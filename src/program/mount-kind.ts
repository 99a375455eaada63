import { MS } from "../linux/mount-flags.ts";
import type { MountOptions } from "../oci/mount-options.ts";
import type { Mount } from "../oci/spec.ts";

export type MountKind = "remount" | "bind" | "cgroup" | "new";

/** mount(2) asks for a remount first, then for a bind. */
export function kindOf({ type }: Mount, { flags }: MountOptions): MountKind {
  if ((flags & MS.REMOUNT) !== 0) return "remount";
  if (type === "bind" || (flags & MS.BIND) !== 0) return "bind";
  return type === "cgroup" || type === "cgroup2" ? "cgroup" : "new";
}
