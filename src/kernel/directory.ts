// A directory and all that is below it, looked at off the event loop: it may be on a disk, or the host's.
import { lstat, open, opendir, readlink } from "node:fs/promises";
import { S } from "../linux/constants.ts";
import { O, openFlagsFor } from "../linux/open-flags.ts";
import type { TreeEntry } from "../linux/tree-entry.ts";
import type { Fd } from "./fd.ts";
import { arch } from "./native.ts";

/** Of a whole tree. */
export type TreeLimits = {
  readonly entries: number;
  readonly bytes: number;
  readonly depth: number;
};

const PERMISSIONS = 0o7777;
const DIRECTORY = openFlagsFor(arch, O.PATH | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC);

/**
 * All below `directory`, which is not closed. Each directory is entered by its descriptor, so no link
 * that appears meanwhile leads out. Devices, FIFOs and sockets are passed over. Throws a RangeError
 * beyond a limit, an Error where something cannot be read.
 */
export async function readTree(directory: Fd, limits: TreeLimits): Promise<readonly TreeEntry[]> {
  const left = { ...limits };
  return await readLevel(directory.number, left, limits.depth);
}

type Left = { entries: number; bytes: number };

async function readLevel(directory: number, left: Left, depth: number): Promise<TreeEntry[]> {
  if (depth === 0) throw new RangeError("directories too deep");
  const path = `/proc/self/fd/${directory}`;
  const found: TreeEntry[] = [];
  for (const name of await namesIn(path, left)) {
    const entry = await readEntry(`${path}/${name}`, name, left, depth);
    if (entry !== undefined) found.push(entry);
  }
  return found;
}

async function namesIn(path: string, left: Left): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(path)) {
    left.entries -= 1;
    if (left.entries < 0) throw new RangeError("too many entries");
    names.push(name);
  }
  return names.toSorted();
}

async function readEntry(
  path: string,
  name: string,
  left: Left,
  depth: number,
): Promise<TreeEntry | undefined> {
  const { mode, uid, gid, size } = await lstat(path);
  const entry = { name, mode: mode & PERMISSIONS, uid, gid };
  switch (mode & S.IFMT) {
    case S.IFLNK:
      return { ...entry, kind: "link", target: await readlink(path) };
    case S.IFREG:
      left.bytes -= size;
      if (left.bytes < 0) throw new RangeError("too many bytes");
      return { ...entry, kind: "file", size };
    case S.IFDIR: {
      await using below = await open(path, DIRECTORY);
      return { ...entry, kind: "directory", entries: await readLevel(below.fd, left, depth - 1) };
    }
    default:
      return undefined;
  }
}
