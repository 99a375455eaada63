// The options of a mount, sorted by what carries them out: flags of mount(2), propagation,
// attributes of a whole tree (mount_setattr(2)), our own doing, and text for the file system.
// Table: container.md section 1.11, the same as runc's.
import { MOUNT_ATTR, MS } from "../linux/mount-flags.ts";
import { InvalidSpec, quote } from "./invalid-spec.ts";
import type { Mount } from "./spec.ts";

export type MountOptions = {
  /** MS_* that hold after the last option. */
  readonly flags: number;
  /**
   * MS_* that an option asks to be off. A remount that is refused may keep the flags that the
   * kernel has locked, but not these.
   */
  readonly clearedFlags: number;
  /** MS_SHARED and its like, with MS_REC or without; each is a call of its own, in this order. */
  readonly propagation: readonly number[];
  /** MOUNT_ATTR_* for `attr_set` and `attr_clr` with AT_RECURSIVE. */
  readonly recursive: { readonly set: number; readonly clear: number };
  readonly idmap?: "idmap" | "ridmap" | undefined;
  /** Fill a new tmpfs with what the directory below it holds. */
  readonly tmpcopyup: boolean;
  /** Make the symlink that the source is instead of following it. */
  readonly copySymlink: boolean;
  /** For the file system, verbatim. */
  readonly data: readonly string[];
};

/** `acl` is not here: what it means is the file system's to say, so it is data. */
const SET: ReadonlyMap<string, number> = new Map([
  ["bind", MS.BIND],
  ["defaults", 0],
  ["dirsync", MS.DIRSYNC],
  ["iversion", MS.I_VERSION],
  ["lazytime", MS.LAZYTIME],
  ["mand", MS.MANDLOCK],
  ["noatime", MS.NOATIME],
  ["nodev", MS.NODEV],
  ["nodiratime", MS.NODIRATIME],
  ["noexec", MS.NOEXEC],
  ["nosuid", MS.NOSUID],
  ["nosymfollow", MS.NOSYMFOLLOW],
  ["rbind", MS.BIND | MS.REC],
  ["relatime", MS.RELATIME],
  ["remount", MS.REMOUNT],
  ["ro", MS.RDONLY],
  ["silent", MS.SILENT],
  ["strictatime", MS.STRICTATIME],
  ["sync", MS.SYNCHRONOUS],
]);

const CLEAR: ReadonlyMap<string, number> = new Map([
  ["async", MS.SYNCHRONOUS],
  ["atime", MS.NOATIME],
  ["dev", MS.NODEV],
  ["diratime", MS.NODIRATIME],
  ["exec", MS.NOEXEC],
  ["loud", MS.SILENT],
  ["noiversion", MS.I_VERSION],
  ["nolazytime", MS.LAZYTIME],
  ["nomand", MS.MANDLOCK],
  ["norelatime", MS.RELATIME],
  ["nostrictatime", MS.STRICTATIME],
  ["rw", MS.RDONLY],
  ["suid", MS.NOSUID],
  ["symfollow", MS.NOSYMFOLLOW],
]);

const PROPAGATION: ReadonlyMap<string, number> = new Map([
  ["private", MS.PRIVATE],
  ["rprivate", MS.PRIVATE | MS.REC],
  ["rshared", MS.SHARED | MS.REC],
  ["rslave", MS.SLAVE | MS.REC],
  ["runbindable", MS.UNBINDABLE | MS.REC],
  ["shared", MS.SHARED],
  ["slave", MS.SLAVE],
  ["unbindable", MS.UNBINDABLE],
]);

const RECURSIVE_SET: ReadonlyMap<string, number> = new Map([
  ["rnodev", MOUNT_ATTR.NODEV],
  ["rnodiratime", MOUNT_ATTR.NODIRATIME],
  ["rnoexec", MOUNT_ATTR.NOEXEC],
  ["rnosuid", MOUNT_ATTR.NOSUID],
  ["rnosymfollow", MOUNT_ATTR.NOSYMFOLLOW],
  ["rro", MOUNT_ATTR.RDONLY],
]);

const RECURSIVE_CLEAR: ReadonlyMap<string, number> = new Map([
  ["rdev", MOUNT_ATTR.NODEV],
  ["rdiratime", MOUNT_ATTR.NODIRATIME],
  ["rexec", MOUNT_ATTR.NOEXEC],
  ["rrw", MOUNT_ATTR.RDONLY],
  ["rsuid", MOUNT_ATTR.NOSUID],
  ["rsymfollow", MOUNT_ATTR.NOSYMFOLLOW],
]);

/**
 * The access time is one field of three values, not bits: whichever is asked for, the kernel wants
 * the whole field cleared first (mount_setattr(2)). Taking one away leaves 0, relatime.
 */
const RECURSIVE_ATIME: ReadonlyMap<string, number> = new Map([
  ["ratime", 0],
  ["rnoatime", MOUNT_ATTR.NOATIME],
  ["rnorelatime", 0],
  ["rnostrictatime", 0],
  ["rrelatime", 0],
  ["rstrictatime", MOUNT_ATTR.STRICTATIME],
]);

const { _ATIME: ATIME_FIELD } = MOUNT_ATTR;

/** Each list is asked for by its mount's rules and by every step of the program that it is about. */
const parsed = new WeakMap<readonly string[], MountOptions>();

/** Options count from left to right, the last word wins. Throws InvalidSpec for a NUL. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const known = parsed.get(options);
  if (known !== undefined) return known;
  const meant = parse(options);
  parsed.set(options, meant);
  return meant;
}

function parse(options: readonly string[]): MountOptions {
  const nul = options.find((option) => option.includes("\0"));
  if (nul !== undefined) throw new InvalidSpec(`mount option ${quote(nul)} contains NUL`);
  return {
    ...mountFlags(options),
    propagation: options.flatMap((option) => PROPAGATION.get(option) ?? []),
    recursive: recursiveAttributes(options),
    idmap: options.findLast((option) => option === "idmap" || option === "ridmap"),
    tmpcopyup: options.includes("tmpcopyup"),
    copySymlink: options.includes("copy-symlink"),
    data: options.filter((option) => !isOurs(option)),
  };
}

/** True if it shows other owners than its source. */
export function isIdMapped({ options = [], uidMappings = [], gidMappings = [] }: Mount): boolean {
  const maps = uidMappings.length + gidMappings.length;
  return maps > 0 || parseMountOptions(options).idmap !== undefined;
}

function mountFlags(options: readonly string[]) {
  let flags = 0;
  let clearedFlags = 0;
  for (const option of options) {
    const set = SET.get(option) ?? 0;
    const clear = CLEAR.get(option) ?? 0;
    flags = (flags | set) & ~clear;
    clearedFlags = (clearedFlags | clear) & ~set;
  }
  return { flags, clearedFlags };
}

function recursiveAttributes(options: readonly string[]): MountOptions["recursive"] {
  let set = 0;
  let clear = 0;
  for (const option of options) {
    const on = RECURSIVE_SET.get(option) ?? 0;
    const off = RECURSIVE_CLEAR.get(option) ?? 0;
    set = (set | on) & ~off;
    clear = (clear | off) & ~on;
    const atime = RECURSIVE_ATIME.get(option);
    if (atime === undefined) continue;
    set = (set & ~ATIME_FIELD) | atime;
    clear |= ATIME_FIELD;
  }
  return { set, clear };
}

const TABLES = [SET, CLEAR, PROPAGATION, RECURSIVE_SET, RECURSIVE_CLEAR, RECURSIVE_ATIME];
const EXTENSIONS = new Set(["idmap", "ridmap", "tmpcopyup", "copy-symlink"]);

function isOurs(option: string): boolean {
  return EXTENSIONS.has(option) || TABLES.some((table) => table.has(option));
}
