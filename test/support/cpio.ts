// Archives in the form that the kernel unpacks at its start: "newc" of cpio(5), as in the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst.
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** `path` without a slash at its begin; `mode` as st_mode has it: the kind of file, too. */
export type Entry = {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
};

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

const NOTHING = new Uint8Array(0);

export function file(path: string, data: Uint8Array, permissions = 0o644): Entry {
  return { path, mode: S_IFREG | permissions, data };
}

export function directory(path: string): Entry {
  return { path, mode: S_IFDIR | 0o755, data: NOTHING };
}

/** What is in a directory of this machine, as `path` in the archive. Directories, files and links. */
export function tree(source: string, path: string): Entry[] {
  const { mode } = lstatSync(source);
  switch (mode & S_IFMT) {
    case S_IFDIR: {
      const below = readdirSync(source).toSorted();
      const entries = below.flatMap((name) => tree(join(source, name), join(path, name)));
      return [{ path, mode, data: NOTHING }, ...entries];
    }
    case S_IFREG:
      return [{ path, mode, data: readFileSync(source) }];
    case S_IFLNK:
      return [{ path, mode, data: Buffer.from(readlinkSync(source)) }];
    default:
      throw new Error(`${source} is no directory, file or link`);
  }
}

/** The archive in pieces; directories that are named by what they hold only are added before it. */
export function archive(entries: readonly Entry[]): Uint8Array[] {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    for (const path of directoriesAbove(entry.path)) {
      if (!all.has(path)) all.set(path, directory(path));
    }
    all.set(entry.path, entry);
  }
  const end = { path: "TRAILER!!!", mode: 0, data: NOTHING };
  return [...all.values(), end].flatMap((entry, index) => encode(entry, index + 1));
}

function directoriesAbove(path: string): string[] {
  const above = dirname(path);
  return above === "." ? [] : [...directoriesAbove(above), above];
}

function encode({ path, mode, data }: Entry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  const start = Buffer.concat([Buffer.from(`070701${header}`), name]);
  return [start, padding(start.length), data, padding(data.length)];
}

/** Up to the next multiple of four. */
function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
