// Remove what is in a directory, off the event loop: it may be on a disk, or the host's.
import { open, opendir, rename, rmdir, unlink } from "node:fs/promises";
import { O, openFlagsFor } from "../linux/open-flags.ts";
import type { Fd } from "./fd.ts";
import { readText } from "./file.ts";
import { arch } from "./native.ts";

/** Directories in one another that are open at once. */
const DEEPEST = 128;
/** Times that what is deeper is brought up: who can still write there might go on for ever. */
const MOST_ROUNDS = 4096;

type Top = { readonly number: number; readonly mount: string };

/**
 * All below `directory`, which itself stays. Each directory is entered by its descriptor, no link is
 * followed, and what is mounted somewhere below is not touched: that is an Error, as is what cannot be
 * removed.
 */
export async function emptyDirectory({ number }: Fd): Promise<void> {
  const top = { number, mount: mountOf(number) };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (await empty(number, top, DEEPEST)) return;
  }
  throw new RangeError("directories too deep");
}

/** false: some were too deep to be entered, and are right in `top` now. */
async function empty(number: number, top: Top, depth: number): Promise<boolean> {
  const path = pathOf(number);
  let isEmpty = true;
  for await (const entry of await opendir(path)) {
    const name = `${path}/${entry.name}`;
    if (!entry.isDirectory()) {
      await unlink(name);
      continue;
    }
    const flags = openFlagsFor(arch, O.PATH | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC);
    await using below = await open(name, flags);
    if (mountOf(below.fd) !== top.mount) throw new Error(`something is mounted on ${entry.name}`);
    if (depth === 0) {
      await rename(name, `${pathOf(top.number)}/.kata-${crypto.randomUUID()}.tmp`);
      isEmpty = false;
      continue;
    }
    if (!(await empty(below.fd, top, depth - 1))) isEmpty = false;
    await rmdir(name);
  }
  return isEmpty;
}

/** A name for exactly what is open. */
function pathOf(number: number): string {
  return `/proc/self/fd/${number}`;
}

/** proc_pid_fdinfo(5): which mount a descriptor is on. A bind mount has its directory's device. */
function mountOf(number: number): string {
  const text = readText(`/proc/self/fdinfo/${number}`);
  return /^mnt_id:\s+(\d+)$/m.exec(text)?.[1] ?? "";
}
