// Directories and links of sysfs and /dev, read off the event loop: some hold thousands of entries.
import { readdir, readlink } from "node:fs/promises";

/** The names in the directory `path`, in order; none where there is no such directory. */
export function namesIn(path: string): Promise<readonly string[]> {
  return orIfAbsent(async () => (await readdir(path)).toSorted(), []);
}

/** What the link `path` says; undefined where there is no link. */
export function linkTarget(path: string): Promise<string | undefined> {
  return orIfAbsent(() => readlink(path), undefined);
}

/** ENODEV, EINVAL: a device that goes away just now, a file that is no link. */
const ABSENT: readonly string[] = ["ENOENT", "ENOTDIR", "ENODEV", "EINVAL"];

async function orIfAbsent<Result>(look: () => Promise<Result>, absent: Result): Promise<Result> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.includes(String(error.code))) {
      return absent;
    }
    throw error;
  }
}
