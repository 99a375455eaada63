// `linux.maskedPaths` and `linux.readonlyPaths`.
import type { Reg } from "../linux/call.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { attachMount, cloneMount, mount_setattr } from "../linux/mount.ts";
import { MOUNT_ATTR } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import { type MountOptions, parseMountOptions } from "../oci/mount-options.ts";
import { Mark, type Tape } from "../tape/tape.ts";
import { coverWithNull } from "./devices.ts";
import { labelled, newFilesystem } from "./filesystem.ts";

/** A directory shows empty, a file reads as /dev/null, what is not there stays away. */
export function maskPaths(
  tape: Tape,
  root: Reg,
  paths: readonly string[],
  label: string | undefined,
): void {
  const empty = labelled("tmpfs", EMPTY_DIRECTORY, label);
  for (const path of new Set(paths)) maskPath(tape, root, path, empty);
}

function maskPath(tape: Tape, root: Reg, path: string, options: MountOptions): void {
  const done = new Mark();
  const file = new Mark();
  const masked = new Mark();
  const target = openIfThere(tape, root, path, done);
  const probe = tape.fd(
    `see whether ${path} is a directory`,
    openat(target, ".", O.PATH | O.DIRECTORY),
    { ENOTDIR: file },
  );
  tape.do("close it", close(probe));
  const empty = newFilesystem(tape, "tmpfs", { destination: path }, options);
  tape.do(`cover ${path}`, attachMount(empty, target));
  tape.do("close the empty directory", close(empty), {}, masked);
  tape.place(file);
  coverWithNull(tape, target, path);
  tape.place(masked);
  tape.do(`close ${path}`, close(target));
  tape.place(done);
}

const EMPTY_DIRECTORY = parseMountOptions([
  "ro",
  "nosuid",
  "nodev",
  "noexec",
  "mode=755",
  "nr_blocks=1",
  "nr_inodes=2",
]);

/** Read-only with all that is below; the other flags of the mount stay as they are. */
export function makePathsReadonly(tape: Tape, root: Reg, paths: readonly string[]): void {
  for (const path of new Set(paths)) {
    const done = new Mark();
    const target = openIfThere(tape, root, path, done);
    const tree = tape.fd(`clone ${path}`, cloneMount(target, "", true));
    tape.do(`make ${path} read-only`, mount_setattr(tree, { set: MOUNT_ATTR.RDONLY }, true));
    tape.do(`mount ${path} over itself`, attachMount(tree, target));
    tape.do(`close the mount of ${path}`, close(tree));
    tape.do(`close ${path}`, close(target));
    tape.place(done);
  }
}

function openIfThere(tape: Tape, root: Reg, path: string, absent: Mark): Reg {
  const open = openInRoot(root, path, O.PATH);
  return tape.fd(`open ${path}`, open, { ENOENT: absent, ENOTDIR: absent });
}
