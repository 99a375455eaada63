// Files, directories and paths: open(2), openat2(2), mkdir(2), mknod(2), symlink(2), unlink(2),
// chown(2), chmod(2), access(2), chdir(2), chroot(2), umask(2).
import { ACCESS, AT, AT_FDCWD, RESOLVE } from "./constants.ts";
import { type Call, type FdArg, type Reg, call } from "./call.ts";
import { O } from "./open-flags.ts";
import { structOf } from "./struct.ts";

/** openat(2). Every descriptor of the agent is close-on-exec. */
export function openat(dir: FdArg, path: string, flags: number, mode = 0): Call {
  return call("openat", dir, path, flags | O.CLOEXEC, mode);
}

/**
 * openat2(2) with `root` as the root of the whole lookup: absolute links and `..` stay inside, and
 * no link of procfs is followed.
 */
export function openInRoot(root: FdArg, path: string, flags: number, mode = 0, resolve = 0): Call {
  const how = structOf("open_how", {
    flags: flags | O.CLOEXEC,
    mode,
    resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS | resolve,
  });
  return call("openat2", root, path, how, 24);
}

/** Where the kernel knows the whole way already; EAGAIN where it would have to look it up. */
export function openKnown(path: string, flags: number): Call {
  const how = structOf("open_how", { flags: flags | O.CLOEXEC, mode: 0, resolve: RESOLVE.CACHED });
  return call("openat2", AT.FDCWD, path, how, 24);
}

export function mkdirat(dir: FdArg, path: string, mode: number): Call {
  return call("mkdirat", dir, path, mode);
}

/** mknod(2); `device` as makedev(3) gives it, 0 for what is not a device. */
export function mknodat(dir: FdArg, path: string, mode: number, device = 0): Call {
  return call("mknodat", dir, path, mode, device);
}

/** The device number the kernel takes in mknod(2) (include/linux/kdev_t.h, new_encode_dev). */
export function makedev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export function symlinkat(target: string, dir: FdArg, path: string): Call {
  return call("symlinkat", target, dir, path);
}

export function unlinkat(dir: FdArg, path: string, flags = 0): Call {
  return call("unlinkat", dir, path, flags);
}

/** renameat2(2) of a name of the directory `dir` to another one there. `flags`: RENAME_* bits. */
export function renameIn(dir: FdArg, from: string, to: string, flags = 0): Call {
  return call("renameat2", dir, from, dir, to, flags);
}

/** rmdir(2) */
export function rmdir(path: string): Call {
  return unlinkat(AT_FDCWD, path, AT.REMOVEDIR);
}

/** fchown(2) on any descriptor, also one opened with O_PATH. */
export function fchown(fd: FdArg, uid: number, gid: number): Call {
  return call("fchownat", fd, "", uid, gid, AT.EMPTY_PATH);
}

/** fchownat(2) of what has that name itself, also if it is a link. */
export function lchownat(dir: FdArg, path: string, uid: number, gid: number): Call {
  return call("fchownat", dir, path, uid, gid, AT.SYMLINK_NOFOLLOW);
}

export function fchmod(fd: FdArg, mode: number | Reg): Call {
  return call("fchmod", fd, mode);
}

/** Whether there is anything at `path` that can be reached. */
export function exists(path: string): Call {
  return call("faccessat2", AT_FDCWD, path, ACCESS.F_OK, AT.EACCESS);
}

/** Whether there is anything named `path`, be it a link that leads nowhere. */
export function hasEntry(path: string): Call {
  return call("faccessat2", AT_FDCWD, path, ACCESS.F_OK, AT.EACCESS | AT.SYMLINK_NOFOLLOW);
}

/** Whether the calling process, with the credentials it has now, may execute `path`. */
export function mayExecute(path: string): Call {
  return call("faccessat2", AT_FDCWD, path, ACCESS.X_OK, AT.EACCESS);
}

export function chdir(path: string): Call {
  return call("chdir", path);
}

export function fchdir(fd: FdArg): Call {
  return call("fchdir", fd);
}

export function chroot(path: string): Call {
  return call("chroot", path);
}

export function umask(mask: number): Call {
  return call("umask", mask);
}

/** fsetxattr(2) of text, which ends with a NUL as labels do. */
export function fsetxattr(fd: FdArg, name: string, text: string): Call {
  const bytes = new TextEncoder().encode(`${text}\0`);
  return call("fsetxattr", fd, name, bytes, bytes.length, 0);
}

/** statfs(2) into `buffer`, 120 bytes; the first word is the file system's magic number. */
export function statfs(path: string, buffer: Uint8Array): Call {
  return call("statfs", path, buffer);
}

/** The same of the file system that an open file is on. */
export function fstatfs(fd: FdArg, buffer: Uint8Array): Call {
  return call("fstatfs", fd, buffer);
}

/** statx(2) of an open file into `buffer`, 256 bytes; stx_mode is the 16-bit word at byte 28. */
export function statx(fd: FdArg, buffer: Uint8Array, flags = 0): Call {
  const STATX_TYPE_AND_MODE = 3;
  return call("statx", fd, "", AT.EMPTY_PATH | flags, STATX_TYPE_AND_MODE, buffer);
}
