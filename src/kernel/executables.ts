// The programs in a directory.
import { lstat, opendir } from "node:fs/promises";

/**
 * The names, in order, of the plain files in `path` that somebody may execute: none if there is no such
 * directory. Off the event loop: it may be on a disk. Throws an Error, also for more than `most`.
 */
export async function listExecutables(path: string, most: number): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(path)) {
      const status = await lstat(`${path}/${name}`);
      if (!status.isFile() || (status.mode & EXECUTABLE) === 0) continue;
      if (names.push(name) > most) throw new Error(`${path} holds more than ${most} programs`);
    }
  } catch (error) {
    const isNothing = error instanceof Error && "code" in error && NOTHING.has(String(error.code));
    if (!isNothing) throw error;
  }
  return names.toSorted();
}

const NOTHING = new Set(["ENOENT", "ENOTDIR"]);
/** inode(7): by its owner, its group or the others. */
const EXECUTABLE = 0o111;
