// What is in the directories of the image that a tmpfs with `tmpcopyup` covers. The agent only looks;
// the copies are made by the tape.
import { readTree } from "../kernel/directory.ts";
import { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import type { TreeEntry } from "../linux/tree-entry.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import { components } from "../oci/path-components.ts";
import type { Mount } from "../oci/spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";

/** A tape has room for so many, and the guest's memory takes all of it. */
const LIMITS = { entries: 4096, bytes: 256 << 20, depth: 32 };

/** Throws InvalidSpec for a directory that holds more than can be copied, or cannot be read. */
export async function entriesToCopy({
  root,
  mounts = [],
}: ContainerSpec): Promise<ReadonlyMap<Mount, readonly TreeEntry[]>> {
  const copied = new Map<Mount, readonly TreeEntry[]>();
  for (const mount of mounts) {
    const { tmpcopyup } = parseMountOptions(mount.options ?? []);
    if (tmpcopyup) copied.set(mount, await entriesBelow(root.path, mount.destination));
  }
  return copied;
}

/** None where the image has no such directory. */
async function entriesBelow(rootfs: string, destination: string): Promise<readonly TreeEntry[]> {
  const open = openat(AT_FDCWD, rootfs, O.PATH | O.DIRECTORY);
  using root = Fd.of(`open ${rootfs}`, open);
  const path = `/${components(destination).join("/")}`;
  const number = attempt(openInRoot(root.number, path, O.PATH | O.DIRECTORY));
  if (number < 0) return [];
  using directory = new Fd(number);
  try {
    return await readTree(directory, LIMITS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidSpec(`tmpcopyup of the mount ${quote(destination)}: ${reason}`);
  }
}
