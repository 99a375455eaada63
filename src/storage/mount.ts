// Mount something at a place of the guest, and take it away again: in children, for what serves a mount
// may be slow, or gone.
import { NEVER } from "../async/never.ts";
import { work } from "../child/work.ts";
import { readText } from "../kernel/file.ts";
import { UMOUNT } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { fchdir } from "../linux/fs.ts";
import { detach, umount2 } from "../linux/mount.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import type { Tape } from "../tape/tape.ts";
import { openParent, removeDirectory } from "./directories.ts";
import type { AttachContext, Warn } from "./driver.ts";
import { type MountRequest, mountProgram } from "./mount-program.ts";

/** For a journal to be replayed, and for a disk to be written out. */
const MOUNT_MS = 300_000;
const UNMOUNT_MS = 60_000;

/** What of the context of a driver it takes to mount. */
export type MountContext = Pick<AttachContext, "undo" | "signal"> & {
  readonly services: Pick<AttachContext["services"], "warn">;
};

/** Throws what `mountProgram` throws, a TapeError, and what the signal says; `undo` then has what is left to do. */
export async function mount(request: MountRequest, context: MountContext): Promise<void> {
  const { undo, signal, services } = context;
  const { target } = request;
  const before = mountsAt(target).length;
  const program = mountProgram(request);
  // A child that is killed may or may not have come as far as its last step.
  undo.defer(() => unmount(request, before, services.warn));
  await work(program, { signal, timeoutMs: MOUNT_MS });
}

/** What is mounted at `target`, the last of which is what can be seen there. */
export function mountsAt(target: string) {
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  return mounts.filter(({ mountPoint }) => mountPoint === target);
}

/** Down to `left` mounts at the target; an empty directory that covers nothing then goes, too. */
async function unmount({ target, stays }: MountRequest, left: number, warn: Warn): Promise<void> {
  if (mountsAt(target).length > left) await unmountOne(target, warn);
  if (left > 0 || stays === true) return;
  await removeDirectory(target);
}

async function unmountOne(target: string, warn: Warn): Promise<void> {
  try {
    await play((tape) => inParent(tape, target, (name) => umount2(name, UMOUNT.NOFOLLOW)));
  } catch (error) {
    if (!(error instanceof KernelError && error.is("EBUSY"))) throw error;
    warn("a storage is still in use: it goes when that ends", { target });
    await play((tape) => inParent(tape, target, detach));
  }
}

function inParent(tape: Tape, target: string, call: typeof detach): void {
  const { parent, name } = openParent(tape, target);
  tape.do(`enter the parent of ${target}`, fchdir(parent));
  tape.do(`unmount ${target}`, call(name));
}

function play(write: (tape: Tape) => void): Promise<void> {
  return work(write, { signal: NEVER, timeoutMs: UNMOUNT_MS });
}
