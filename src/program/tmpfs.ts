// What a new tmpfs takes over from the directory of the image that it covers: its mode, as with runc,
// and with `tmpcopyup` what is in it.
import type { Reg } from "../linux/call.ts";
import { fchmod, fchown, mkdirat, openInRoot, openat, statx, symlinkat } from "../linux/fs.ts";
import { close, sendfile } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import type { TreeEntry } from "../linux/tree-entry.ts";
import { type IdMaps, containerId } from "../oci/id-mapping.ts";
import type { MountOptions } from "../oci/mount-options.ts";
import { components } from "../oci/path-components.ts";
import type { Mount } from "../oci/spec.ts";
import { Mark, type Tape } from "../tape/tape.ts";

export type CoverContext = {
  readonly root: Reg;
  readonly ids: IdMaps | undefined;
  /** What is in the directories that mounts with `tmpcopyup` cover. */
  readonly copied: ReadonlyMap<Mount, readonly TreeEntry[]>;
};

/** Byte of stx_mode in struct statx (linux/stat.h). */
const STX_MODE = 28;

/** `made`: the tmpfs, attached nowhere yet. What is not there leaves it as it is. */
export function takeOverCovered(
  tape: Tape,
  made: Reg,
  mount: Mount,
  options: MountOptions,
  { root, ids, copied }: CoverContext,
): void {
  const { destination } = mount;
  const isModeGiven = options.data.some((option) => option.startsWith("mode="));
  const entries = copied.get(mount) ?? [];
  if (isModeGiven && entries.length === 0) return;
  const absent = new Mark();
  const path = `/${components(destination).join("/")}`;
  const open = openInRoot(root, path, O.PATH | O.DIRECTORY);
  const covered = tape.fd(`look at ${destination}`, open, { ENOENT: absent, ENOTDIR: absent });
  const top = tape.fd(`open the new ${destination}`, openat(made, ".", O.RDONLY | O.DIRECTORY));
  if (!isModeGiven) {
    const status = new Uint8Array(256);
    tape.do(`see the mode of ${destination}`, statx(covered, status));
    const mode = tape.load(`take the mode of ${destination}`, status, STX_MODE);
    tape.do(`give the new ${destination} that mode`, fchmod(top, mode));
  }
  copyEntries(tape, covered, top, destination, entries, ids);
  tape.do(`close the new ${destination}`, close(top));
  tape.do(`close ${destination}`, close(covered));
  tape.place(absent);
}

function copyEntries(
  tape: Tape,
  from: Reg,
  to: Reg,
  at: string,
  entries: readonly TreeEntry[],
  ids: IdMaps | undefined,
): void {
  for (const entry of entries) {
    const path = `${at}/${entry.name}`;
    if (entry.kind === "link") {
      tape.do(`copy the link ${path}`, symlinkat(entry.target, to, entry.name));
      continue;
    }
    const gone = new Mark();
    const isFile = entry.kind === "file";
    const flags = O.NOFOLLOW | (isFile ? O.RDONLY | O.NONBLOCK : O.PATH | O.DIRECTORY);
    // The host may have changed it since the agent looked: what is something else is not copied.
    const vanished = { ENOENT: gone, ELOOP: gone, ENOTDIR: gone };
    const source = tape.fd(`open ${path}`, openat(from, entry.name, flags), vanished);
    const copy = isFile
      ? copyFile(tape, source, to, path, entry.name, entry.size)
      : copyDirectory(tape, to, path, entry.name);
    if (entry.kind === "directory") copyEntries(tape, source, copy, path, entry.entries, ids);
    settleCopy(tape, copy, path, entry, ids);
    tape.do(`close the copy of ${path}`, close(copy));
    tape.do(`close ${path}`, close(source));
    tape.place(gone);
  }
}

function copyDirectory(tape: Tape, to: Reg, path: string, name: string): Reg {
  tape.do(`create the copy of ${path}`, mkdirat(to, name, 0o700));
  const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;
  return tape.fd(`open the copy of ${path}`, openat(to, name, flags));
}

function copyFile(tape: Tape, source: Reg, to: Reg, path: string, name: string, size: number): Reg {
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW;
  const copy = tape.fd(`create the copy of ${path}`, openat(to, name, flags, 0o600));
  if (size === 0) return copy;
  tape.do(`copy ${path}`, sendfile(copy, source, size));
  // Where the tmpfs is full, that ends early without an error, and this one has it.
  tape.do(`copy ${path}`, sendfile(copy, source, size));
  return copy;
}

/** The owner first: a change of owner takes set-id bits away. */
function settleCopy(
  tape: Tape,
  copy: Reg,
  path: string,
  { uid, gid, mode }: TreeEntry,
  ids: IdMaps | undefined,
): void {
  // Who is not in the container's user namespace cannot own a thing in it.
  const owner = ids === undefined ? uid : (containerId(ids.uid, uid) ?? 0);
  const group = ids === undefined ? gid : (containerId(ids.gid, gid) ?? 0);
  if (owner !== 0 || group !== 0) {
    tape.do(`give the copy of ${path} to ${owner}:${group}`, fchown(copy, owner, group));
  }
  tape.do(`set the mode of the copy of ${path}`, fchmod(copy, mode));
}
