// A new file system, mounted nowhere yet: fsopen(2), fsconfig(2), fsmount(2).
import type { Reg } from "../linux/call.ts";
import { close } from "../linux/io.ts";
import { fsconfigCreate, fsconfigFlag, fsconfigString, fsmount, fsopen } from "../linux/mount.ts";
import { MOUNT_ATTR, MS } from "../linux/mount-flags.ts";
import type { MountOptions } from "../oci/mount-options.ts";
import type { Mount } from "../oci/spec.ts";
import { skip, type Tape } from "../tape/tape.ts";

/** MS_* flags that belong to one mount, as the attributes that the newer calls know. */
const ATTRIBUTES = [
  [MS.RDONLY, MOUNT_ATTR.RDONLY],
  [MS.NOSUID, MOUNT_ATTR.NOSUID],
  [MS.NODEV, MOUNT_ATTR.NODEV],
  [MS.NOEXEC, MOUNT_ATTR.NOEXEC],
  [MS.NODIRATIME, MOUNT_ATTR.NODIRATIME],
  [MS.NOSYMFOLLOW, MOUNT_ATTR.NOSYMFOLLOW],
] as const;

/** MS_* flags that belong to the file system, as its options. */
const SUPERBLOCK = [
  [MS.SYNCHRONOUS, "sync"],
  [MS.DIRSYNC, "dirsync"],
  [MS.MANDLOCK, "mand"],
  [MS.LAZYTIME, "lazytime"],
  [MS.I_VERSION, "iversion"],
] as const;

/**
 * One instance for all who mount them, so read-only is a matter of each mount; and a tmpfs must be
 * written while mount points are made in it.
 */
const READONLY_BY_MOUNT = new Set([
  "proc",
  "sysfs",
  "tmpfs",
  "mqueue",
  "devpts",
  "cgroup",
  "cgroup2",
]);

/** These have labels of their own, whatever is asked for (as runc has it). */
const LABELLED_BY_KERNEL = new Set(["proc", "sysfs", "mqueue", "cgroup", "cgroup2"]);

/** With `linux.mountLabel` on all its files, where that is possible. */
export function labelled(type: string, options: MountOptions, label?: string): MountOptions {
  if (label === undefined || LABELLED_BY_KERNEL.has(type)) return options;
  return { ...options, data: [...options.data, `context=${label}`] };
}

/** Gives a register with the detached mount. */
export function newFilesystem(tape: Tape, type: string, mount: Mount, options: MountOptions): Reg {
  const at = mount.destination;
  const context = tape.fd(`open a new ${type} for ${at}`, fsopen(type));
  const source = mount.source ?? type;
  tape.do(`set the source of ${at} to ${source}`, fsconfigString(context, "source", source));
  for (const [flag, name] of SUPERBLOCK) {
    if ((options.flags & flag) === 0) continue;
    // mount(2) lets a file system ignore what it does not know of these.
    tape.do(`set ${name} of ${at}`, fsconfigFlag(context, name), { EINVAL: skip });
  }
  if ((options.flags & MS.RDONLY) !== 0 && !READONLY_BY_MOUNT.has(type)) {
    tape.do(`set ro of ${at}`, fsconfigFlag(context, "ro"));
  }
  for (const option of options.data) {
    const [key = "", value] = splitOption(option);
    const set =
      value === undefined ? fsconfigFlag(context, key) : fsconfigString(context, key, value);
    tape.do(`set ${option} of ${at}`, set);
  }
  tape.do(`create the ${type} for ${at}`, fsconfigCreate(context));
  const made = tape.fd(
    `make a mount of ${type} for ${at}`,
    fsmount(context, attributesOf(options).set),
  );
  tape.do(`close the new ${type}`, close(context));
  return made;
}

/** What the options ask of one mount. Access-time modes exclude each other, so one clears the rest. */
export function attributesOf({ flags, clearedFlags }: MountOptions): {
  set: number;
  clear: number;
} {
  let set = 0;
  let clear = 0;
  for (const [flag, attribute] of ATTRIBUTES) {
    if ((flags & flag) !== 0) set |= attribute;
    if ((clearedFlags & flag) !== 0) clear |= attribute;
  }
  const atime = MS.NOATIME | MS.STRICTATIME | MS.RELATIME;
  if (((flags | clearedFlags) & atime) !== 0) clear |= MOUNT_ATTR._ATIME;
  if ((flags & MS.NOATIME) !== 0) set |= MOUNT_ATTR.NOATIME;
  else if ((flags & MS.STRICTATIME) !== 0) set |= MOUNT_ATTR.STRICTATIME;
  return { set, clear };
}

/** `key=value`, or a key alone. */
export function splitOption(option: string): readonly [string] | readonly [string, string] {
  const at = option.indexOf("=");
  return at < 0 ? [option] : [option.slice(0, at), option.slice(at + 1)];
}
