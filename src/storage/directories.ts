// Directories that a storage needs, made and removed in children.
import { NEVER } from "../async/never.ts";
import { work } from "../child/work.ts";
import { emptyDirectory } from "../kernel/empty-directory.ts";
import { AT } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { unlinkat } from "../linux/fs.ts";
import { components } from "../oci/path-components.ts";
import { skip, type Tape } from "../tape/tape.ts";
import type { AttachContext } from "./driver.ts";
import { openDirectory, openExisting } from "./place.ts";

const LONGEST_MS = 60_000;
/** It is nobody's data: a share whose server is gone is not waited for long. */
const REMOVAL_MS = 2000;

/** The paths are checked. They go again if they are empty by then. Throws a TapeError. */
export async function makeDirectories(
  paths: readonly string[],
  { signal, undo }: Pick<AttachContext, "signal" | "undo">,
): Promise<void> {
  if (paths.length === 0) return;
  for (const path of paths) undo.defer(() => removeDirectory(path));
  const make = (tape: Tape) => paths.forEach((path) => openDirectory(tape, path));
  await work(make, { signal, timeoutMs: LONGEST_MS });
}

/** One that is not empty stays, and so does one that the host does not let go. Throws a TapeError. */
export async function removeDirectory(path: string): Promise<void> {
  const stays = { ENOTEMPTY: skip, EBUSY: skip, EROFS: skip, ENOTDIR: skip, ENOENT: skip } as const;
  const write = (tape: Tape) => {
    const { parent, name } = openParent(tape, path);
    const remove = unlinkat(parent, name, AT.REMOVEDIR);
    tape.do(`remove directory ${path}`, remove, { ...stays, EPERM: skip });
  };
  await work(write, { signal: NEVER, timeoutMs: REMOVAL_MS });
}

/** With all that it holds, but for what is mounted in it. Throws a TapeError, or an Error for what stays. */
export async function removeTree(path: string): Promise<void> {
  const hand = (tape: Tape) => tape.hand(`hand over ${path}`, openExisting(tape, path));
  try {
    await work(hand, { signal: NEVER, timeoutMs: LONGEST_MS, take: emptyDirectory });
  } catch (error) {
    if (error instanceof KernelError && error.is("ENOENT")) return;
    throw error;
  }
  await removeDirectory(path);
}

/** The directory that `path` is in, which is there, and its name in it. */
export function openParent(tape: Tape, path: string) {
  const names = components(path);
  const parent = openExisting(tape, `/${names.slice(0, -1).join("/")}`);
  return { parent, name: names.at(-1) ?? "." };
}
