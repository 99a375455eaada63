// The same as `file.ts`, off the event loop. Apart, for it takes two milliseconds to load what Bun does that
// with, and a runtime waits for the agent to listen.
import { open, readFile } from "node:fs/promises";
import { AT_FDCWD } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";

/**
 * A read of a cgroup that is being emptied can wait for it. undefined: there is
 * no such file, or the kernel does not let it be read.
 */
export async function readTextAsync(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // What the kernel refuses has an errno; all else is a defect.
    if (error instanceof Error && "errno" in error) return undefined;
    throw error;
  }
}

/**
 * Give `text` to the file in one write(2). For a lower limit of memory the kernel makes room before it answers.
 */
export async function writeTextAsync(path: string, text: string): Promise<void> {
  const opening = openat(AT_FDCWD, path, O.WRONLY);
  try {
    await using file = await open(path, O.WRONLY);
    await file.write(text);
  } catch (error) {
    const errno = error instanceof Error && "errno" in error ? Number(error.errno) : 0;
    if (errno < 0) throw new KernelError(`write ${text} to ${path}`, opening, -errno);
    throw error;
  }
}
