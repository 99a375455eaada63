// Mount what a guest needs. These file systems are the kernel's own: none of them blocks.
import { makeDirectories, readText } from "../kernel/file.ts";
import { perform } from "../kernel/perform.ts";
import { MS } from "../linux/mount-flags.ts";
import { mountNew } from "../linux/mount.ts";
import { type MountinfoEntry, parseMountinfo } from "../linux/mountinfo.ts";
import type { GuestMount } from "./base-mounts.ts";

/**
 * Nothing where a file system of this type is already mounted, by whoever prepared the guest or by the
 * kernel. The target is made where it is missing. Throws a KernelError.
 */
export function mountInGuest(mount: GuestMount): void {
  const { fstype, source, target, flags, data = null } = mount;
  if ((flags & MS.REMOUNT) === 0 && mountAt(target)?.fstype === fstype) return;
  makeDirectories(target);
  perform(`mount ${fstype} on ${target}`, mountNew(fstype, source, target, flags, data));
}

/** What can be seen at `target`: the last of those that are mounted there. */
export function mountAt(target: string): MountinfoEntry | undefined {
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  return mounts.findLast(({ mountPoint }) => mountPoint === target);
}
