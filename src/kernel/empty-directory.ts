// Remove what is in a directory, off the event loop: it may be on a disk, or the host's.
import { open, opendir, rmdir, unlink } from "node:fs/promises";
import { O, openFlagsFor } from "../linux/open-flags.ts";
import type { Fd } from "./fd.ts";
import { readText } from "./file.ts";
import { arch } from "./native.ts";

const DEEPEST = 128;

/**
 * All below `directory`, which itself stays. Each directory is entered by its descriptor, no link is
 * followed, and what is mounted somewhere below is not touched: that is an Error, as is what cannot be
 * removed.
 */
export async function emptyDirectory(directory: Fd): Promise<void> {
  await empty(directory.number, mountOf(directory.number), DEEPEST);
}

async function empty(number: number, mount: string, depth: number): Promise<void> {
  if (depth === 0) throw new RangeError("directories too deep");
  const path = `/proc/self/fd/${number}`;
  for await (const entry of await opendir(path)) {
    const name = `${path}/${entry.name}`;
    if (!entry.isDirectory()) {
      await unlink(name);
      continue;
    }
    const flags = openFlagsFor(arch, O.PATH | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC);
    await using below = await open(name, flags);
    if (mountOf(below.fd) !== mount) throw new Error(`something is mounted on ${entry.name}`);
    await empty(below.fd, mount, depth - 1);
    await rmdir(name);
  }
}

/** proc_pid_fdinfo(5): which mount a descriptor is on. A bind mount has its directory's device. */
function mountOf(number: number): string {
  const text = readText(`/proc/self/fdinfo/${number}`);
  return /^mnt_id:\s+(\d+)$/m.exec(text)?.[1] ?? "";
}
