// Give a whole tree to a group, off the event loop: it may be on a disk, or the host's. No link is
// followed, on the way to the tree or in it, whatever changes meanwhile: every name is looked up in the
// directory that is open already.
import { type FileHandle, chmod, chown, open, opendir } from "node:fs/promises";
import { S } from "../linux/constants.ts";
import { O, openFlagsFor } from "../linux/open-flags.ts";
import { arch } from "./native.ts";

export type TreeStatus = { readonly mode: number; readonly gid: number };

/** What a file is to have, by the mode that it has, in which the kind of file is. */
export type Change = (mode: number) => TreeStatus;

/** Directories in one another: no volume has as many. */
const DEEPEST = 256;
/** Files looked at together. */
const AT_ONCE = 8;

const PERMISSIONS = 0o7777;

/** Of the directory `path`, which is absolute. Throws an Error. */
export async function statusOfPath(path: string): Promise<TreeStatus> {
  await using directory = await openPath(path);
  return await directory.stat();
}

/**
 * Apply `change` to all that is in the directory `path`, then to itself. Links stay as they are. Throws an
 * Error, and what `signal` says; what has been changed by then stays so.
 */
export async function changeTree(path: string, change: Change, signal: AbortSignal): Promise<void> {
  await using directory = await openPath(path);
  await changeDirectory(directory, change, signal, DEEPEST);
}

async function changeDirectory(
  directory: FileHandle,
  change: Change,
  signal: AbortSignal,
  depth: number,
): Promise<void> {
  if (depth === 0) throw new RangeError("directories too deep");
  const below = async (names: readonly string[]) => {
    signal.throwIfAborted();
    // One directory at a time: each holds descriptors.
    for (const name of await changeFiles(directory, names, change)) {
      await using entry = await tryOpen(`${pathOf(directory)}/${name}`, O.DIRECTORY);
      if (entry !== undefined) await changeDirectory(entry, change, signal, depth - 1);
    }
  };
  let names: string[] = [];
  for await (const { name } of await opendir(pathOf(directory))) {
    if (names.push(name) < AT_ONCE) continue;
    await below(names);
    names = [];
  }
  await below(names);
  await apply(directory, change);
}

/** Gives the names of those that are directories, which are left as they are. */
async function changeFiles(
  above: FileHandle,
  names: readonly string[],
  change: Change,
): Promise<readonly string[]> {
  const changeFile = async (name: string) => {
    await using entry = await tryOpen(`${pathOf(above)}/${name}`, 0);
    if (entry === undefined) return [];
    const kind = (await entry.stat()).mode & S.IFMT;
    if (kind === S.IFDIR) return [name];
    if (kind !== S.IFLNK) await apply(entry, change);
    return [];
  };
  // All must be over before `above` is closed: its number could be another's by then.
  const results = await Promise.allSettled(names.map(changeFile));
  return results.flatMap((result) => {
    if (result.status === "fulfilled") return result.value;
    throw result.reason;
  });
}

/** The owner first: a change of owner takes set-id bits away. */
async function apply(entry: FileHandle, change: Change): Promise<void> {
  const { mode, uid, gid } = await entry.stat();
  const wanted = change(mode);
  if (wanted.gid !== gid) await chown(pathOf(entry), uid, wanted.gid);
  if (wanted.mode !== mode || wanted.gid !== gid)
    await chmod(pathOf(entry), wanted.mode & PERMISSIONS);
}

/** Name by name, so that no link on the way is followed. */
async function openPath(path: string): Promise<FileHandle> {
  let directory = await openEntry("/", O.DIRECTORY);
  for (const name of path.split("/").filter((each) => each !== "")) {
    await using above = directory;
    directory = await openEntry(`${pathOf(above)}/${name}`, O.DIRECTORY);
  }
  return directory;
}

/** undefined: by now it is gone, or something else. */
async function tryOpen(path: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await openEntry(path, flags);
  } catch (error) {
    if (error instanceof Error && "code" in error && GONE.has(String(error.code))) return undefined;
    throw error;
  }
}

const GONE = new Set(["ENOENT", "ENOTDIR"]);

function openEntry(path: string, flags: number): Promise<FileHandle> {
  return open(path, openFlagsFor(arch, O.PATH | O.NOFOLLOW | O.CLOEXEC | flags));
}

/** A name for exactly what is open. */
function pathOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}
