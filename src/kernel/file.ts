// Files and directories that the kernel itself serves (procfs, sysfs, cgroupfs): small and quick.
// What may block, such as a file on a disk or on the host, is a tape played in a child instead.
import { type Call, call } from "../linux/call.ts";
import { AT, AT_FDCWD, S } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { exists, hasEntry, mkdirat, openat, rmdir, statx } from "../linux/fs.ts";
import { read, writeText as writeTo } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { Fd } from "./fd.ts";
import { attempt, perform } from "./perform.ts";

/** A list of all pids that a kernel can give (4,194,304) is no longer. */
const LONGEST_FILE = 32 << 20;

const buffer = new Uint8Array(64 << 10);

/** Throws a KernelError that begins `read <path>`. */
export function readText(path: string): string {
  const label = `read ${path}`;
  using file = Fd.of(label, openat(AT_FDCWD, path, O.RDONLY));
  const text = readStart(file, label, LONGEST_FILE);
  if (text.length > LONGEST_FILE) throw new Error(`${label}: longer than ${LONGEST_FILE}`);
  return text;
}

/** From where `file` stands to its end, but not much more than `most` bytes. Throws a KernelError. */
export function readStart(file: Fd, label: string, most: number): string {
  const text = new TextDecoder();
  let result = "";
  while (result.length <= most) {
    const length = perform(label, read(file.number, buffer));
    if (length === 0) break;
    result += text.decode(buffer.subarray(0, length), { stream: true });
  }
  return result + text.decode();
}

/** undefined: there is no such file. Throws a KernelError for the rest. */
export function tryReadText(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof KernelError && (error.is("ENOENT") || error.is("ESRCH"))) return undefined;
    throw error;
  }
}

/** Whether there is something of this name, be it a link that leads nowhere. Throws a KernelError. */
export function hasName(path: string): boolean {
  return unless("ENOENT", `look for ${path}`, hasEntry(path));
}

/**
 * Give `text` to the file in one write(2), which these files take as one command. A file that does
 * not exist is not made. Throws a KernelError that begins `write <text> to <path>`.
 */
export function writeText(path: string, text: string): void {
  const label = `write ${text} to ${path}`;
  using file = Fd.of(label, openat(AT_FDCWD, path, O.WRONLY));
  perform(label, writeTo(file.number, text));
}

/** The names of the directories in `path`. Throws a KernelError that begins `list <path>`. */
export function listDirectories(path: string): string[] {
  const label = `list ${path}`;
  using directory = Fd.of(label, openat(AT_FDCWD, path, O.RDONLY | O.DIRECTORY));
  const names: string[] = [];
  for (;;) {
    const length = perform(label, call("getdents64", directory.number, buffer, buffer.length));
    if (length === 0) return names;
    names.push(...directoryNames(buffer.subarray(0, length)));
  }
}

/** struct linux_dirent64: u64 inode, u64 offset, u16 length, u8 type, name with NULs after it. */
function* directoryNames(entries: Uint8Array): Generator<string> {
  const DT_DIR = 4;
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  for (let at = 0; at < entries.length; at += view.getUint16(at + 16, true)) {
    const nameAt = at + 19;
    const name = new TextDecoder().decode(entries.subarray(nameAt, entries.indexOf(0, nameAt)));
    if (view.getUint8(at + 18) === DT_DIR && name !== "." && name !== "..") yield name;
  }
}

/** false: there is something of this name already. Throws a KernelError. */
export function makeDirectory(path: string): boolean {
  return unless("EEXIST", `make directory ${path}`, mkdirat(AT_FDCWD, path, 0o755));
}

/** Make the directory `path`, which is absolute, and those above it that are not there. */
export function makeDirectories(path: string): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  if (attempt(exists(path)) >= 0) return;
  if (parent !== "") makeDirectories(parent);
  makeDirectory(path);
}

/** false: there was nothing to remove. Throws a KernelError. */
export function removeDirectory(path: string): boolean {
  return unless("ENOENT", `remove directory ${path}`, rmdir(path));
}

/** true: done. false: not done because of this one errno. */
function unless(errno: "EEXIST" | "ENOENT", label: string, change: Call): boolean {
  const result = attempt(change);
  if (result === -errnoNumber(errno)) return false;
  if (result < 0) throw new KernelError(label, change, -result);
  return true;
}

/** False for what a read could block on or change: a FIFO, a device. */
export function isRegularFile(file: Fd): boolean {
  return (statusOf(file).getUint16(28, true) & S.IFMT) === S.IFREG;
}

export type DeviceNumber = {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
};

export type DeviceNode = {
  readonly number: DeviceNumber;
  /** Permissions and the bits beside them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

/** undefined for what is no device. */
export function deviceNodeOf(file: Fd): DeviceNode | undefined {
  const status = statusOf(file);
  const mode = status.getUint16(28, true);
  const kind = mode & S.IFMT;
  if (kind !== S.IFBLK && kind !== S.IFCHR) return undefined;
  const [major, minor] = [status.getUint32(128, true), status.getUint32(132, true)];
  const [uid, gid] = [status.getUint32(20, true), status.getUint32(24, true)];
  const number = { type: kind === S.IFBLK ? "b" : "c", major, minor } as const;
  return { number, mode: mode & ~S.IFMT, uid, gid };
}

/** Whether it is on a disk of the guest, which the kernel asks, and no server. */
export function isOnDisk(file: Fd): boolean {
  // Major number of the file system's device; those of no disk share 0.
  return statusOf(file).getUint32(136, true) !== 0;
}

export function isDirectory(file: Fd): boolean {
  return (statusOf(file).getUint16(28, true) & S.IFMT) === S.IFDIR;
}

/** The number of the file within its file system. */
export function inodeOf(file: Fd): bigint {
  return statusOf(file).getBigUint64(32, true);
}

/** One file under two names, or twice the same. */
export function isSameFile(one: Fd, other: Fd): boolean {
  const identity = (file: Fd) => {
    const status = statusOf(file);
    return `${status.getUint32(136, true)}:${status.getUint32(140, true)} ${status.getBigUint64(32, true)}`;
  };
  return identity(one) === identity(other);
}

/** struct statx of linux/stat.h */
function statusOf(file: Fd): DataView {
  const status = new Uint8Array(256);
  // As the kernel has it, without asking whoever serves the file system: what is looked at does not change.
  const known = statx(file.number, status, AT.STATX_DONT_SYNC);
  perform("see what kind of file it is", known);
  return new DataView(status.buffer);
}
