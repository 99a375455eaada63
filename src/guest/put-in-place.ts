// What is made under a temporary name takes the name it is to have, whatever has that name by then.
import { playHere } from "../child/play-here.ts";
import { work } from "../child/work.ts";
import { emptyDirectory } from "../kernel/empty-directory.ts";
import { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import type { Call } from "../linux/call.ts";
import { AT_FDCWD, MAGIC, RESOLVE } from "../linux/constants.ts";
import type { ErrnoName } from "../linux/errno.ts";
import { openInRoot, openat, statfs } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import {
  type Place,
  SHARE,
  type Temporary,
  discard,
  replaceDirectory,
  withinMount,
} from "../program/shared-file.ts";
import { TapeError } from "../tape/error.ts";
import type { Take } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";

type Playing = { readonly signal: AbortSignal; readonly take?: Take };

/** Where a guest has a file system in its memory, whatever the host shares with it. */
const MEMORY = "/run";
/** A third of a millisecond, on an idle machine. */
const MOST_BYTES_HERE = 1 << 20;
const TIMEOUT_MS = 60_000;
/** For what undoes: whoever has asked may be gone. */
const UNDONE_IN_MS = 10_000;
/** openat2(2) gives EAGAIN for the `..` of a link while somebody renames something anywhere. */
const MOST_ATTEMPTS = 16;

/** A name that nobody else has. */
export function temporaryAt(place: Place): Temporary {
  return { place, temporary: `.kata-${crypto.randomUUID()}.tmp` };
}

/**
 * Play what makes it and renames it. Where a directory has the name, the two change places, and that one
 * is removed with all that it holds. Throws, and then what was made is gone; or, if the directory cannot
 * be emptied, what is left of that is there under the temporary name.
 */
export async function putInPlace(
  made: Temporary,
  write: (tape: Tape) => void,
  signal: AbortSignal,
): Promise<void> {
  await using undo = new AsyncDisposableStack();
  let isInPlace = false;
  undo.defer(() => (isInPlace ? undefined : remove(made)));
  try {
    await play(write, { signal });
  } catch (error) {
    if (!isRefused(error, "renameat2", "EISDIR")) throw error;
    const take = async (replaced: Fd) => {
      isInPlace = true;
      await emptyDirectory(replaced);
    };
    await play((tape) => replaceDirectory(tape, made), { signal, take });
    await remove(made);
  }
  undo.move();
}

/** Play what makes it, or a part of it. Throws, and then it is gone. */
export async function putAside(
  made: Temporary,
  write: (tape: Tape) => void,
  signal: AbortSignal,
): Promise<void> {
  await using undo = new AsyncDisposableStack();
  undo.defer(() => remove(made));
  await play(write, { signal });
  undo.move();
}

/** What has the temporary name, if anything has. */
export async function remove(made: Temporary): Promise<void> {
  await play((tape) => discard(tape, made), { signal: AbortSignal.timeout(UNDONE_IN_MS) });
}

/**
 * Here, where all of it is in the guest's own memory, which answers at once; else in a child, for the
 * directory may be on a file system that hangs.
 */
export async function play(write: (tape: Tape) => void, playing: Playing): Promise<void> {
  for (let times = 1; ; times++) {
    try {
      playing.signal.throwIfAborted();
      if (playing.take !== undefined || !isPlayedHere(write))
        await work(write, { ...playing, timeoutMs: TIMEOUT_MS });
      return;
    } catch (error) {
      if (times === MOST_ATTEMPTS || !isRefused(error, "openat2", "EAGAIN")) throw error;
    }
  }
}

/** false: it has to be played by a child, from its beginning. */
function isPlayedHere(write: (tape: Tape) => void): boolean {
  if (!isShareInMemory()) return false;
  const tape = new Tape();
  write(tape);
  if (tape.ops.some(({ call }) => call !== null && takesLong(call))) return false;
  try {
    playHere(tape, withinMount);
    return true;
  } catch (error) {
    // Something else is mounted on the way.
    if (isRefused(error, "openat2", "EXDEV")) return false;
    throw error;
  }
}

function takesLong({ args }: Call): boolean {
  return args.some((arg) => arg instanceof Uint8Array && arg.length > MOST_BYTES_HERE);
}

/** On the tmpfs that is the guest's /run, and not mounted from anywhere else. */
function isShareInMemory(): boolean {
  const status = new Uint8Array(120);
  if (attempt(statfs(MEMORY, status)) < 0) return false;
  if (new DataView(status.buffer).getUint32(0, true) !== MAGIC.TMPFS) return false;
  using memory = Fd.of(`open ${MEMORY}`, openat(AT_FDCWD, MEMORY, O.PATH | O.DIRECTORY));
  const flags = O.PATH | O.DIRECTORY;
  const below = SHARE.slice(MEMORY.length + 1);
  const call = openInRoot(memory.number, below, flags, 0, RESOLVE.NO_XDEV | RESOLVE.NO_SYMLINKS);
  const share = attempt(call);
  if (share >= 0) new Fd(share).close();
  return share >= 0;
}

function isRefused(error: unknown, name: string, errno: ErrnoName): boolean {
  return error instanceof TapeError && error.call.name === name && error.is(errno);
}
