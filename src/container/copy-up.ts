// What is in the directories of the image that a tmpfs with `tmpcopyup` covers. The agent only looks;
// the copies are made by the tape.
import { work } from "../child/work.ts";
import { readTree } from "../kernel/directory.ts";
import { Fd } from "../kernel/fd.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import type { TreeEntry } from "../linux/tree-entry.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import { components } from "../oci/path-components.ts";
import type { Mount } from "../oci/spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { Mark, type Tape } from "../tape/tape.ts";

/** A tape has room for so many, and the guest's memory takes all of it. */
const LIMITS = { entries: 4096, bytes: 256 << 20, depth: 32 };
const OPENED_IN_MS = 60_000;

/**
 * Throws InvalidSpec for a directory that holds more than can be copied, or cannot be read, a TapeError
 * where there is no root, and what `signal` says.
 */
export async function entriesToCopy(
  { root, mounts = [] }: ContainerSpec,
  signal: AbortSignal,
): Promise<ReadonlyMap<Mount, readonly TreeEntry[]>> {
  const copied = new Map<Mount, readonly TreeEntry[]>();
  for (const mount of mounts) {
    const { tmpcopyup } = parseMountOptions(mount.options ?? []);
    if (tmpcopyup) copied.set(mount, await entriesBelow(root.path, mount.destination, signal));
  }
  return copied;
}

/** None where the image has no such directory. */
async function entriesBelow(
  rootfs: string,
  destination: string,
  signal: AbortSignal,
): Promise<readonly TreeEntry[]> {
  const path = `/${components(destination).join("/")}`;
  using directory = await openInside(rootfs, path, signal);
  if (directory === undefined) return [];
  try {
    return await readTree(directory, LIMITS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidSpec(`tmpcopyup of the mount ${quote(destination)}: ${reason}`);
  }
}

/** By a child: the root may be on a file system that hangs. undefined: there is no such directory. */
async function openInside(
  rootfs: string,
  path: string,
  signal: AbortSignal,
): Promise<Fd | undefined> {
  using onFailure = new DisposableStack();
  let found: Fd | undefined;
  const write = (tape: Tape) => {
    const root = tape.fd(`open ${rootfs}`, openat(AT_FDCWD, rootfs, O.PATH | O.DIRECTORY));
    const none = new Mark();
    const absent = { ENOENT: none, ENOTDIR: none, ELOOP: none, EXDEV: none, EACCES: none };
    const place = tape.fd(`find ${path}`, openInRoot(root, path, O.PATH | O.DIRECTORY), absent);
    tape.hand(`hand over ${path}`, place);
    tape.place(none);
  };
  const take = async (given: Fd) => {
    found = onFailure.use(new Fd(given.release()));
  };
  await work(write, { signal, take, timeoutMs: OPENED_IN_MS });
  onFailure.move();
  return found;
}
