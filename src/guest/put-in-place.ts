// What is made under a temporary name takes the name it is to have, whatever has that name by then.
import { randomUUID } from "node:crypto";
import { work } from "../child/work.ts";
import { emptyDirectory } from "../kernel/empty-directory.ts";
import type { Fd } from "../kernel/fd.ts";
import { type Place, type Temporary, discard, replaceDirectory } from "../program/shared-file.ts";
import { TapeError } from "../tape/error.ts";
import type { Take } from "../tape/player.ts";
import type { Tape } from "../tape/tape.ts";

type Playing = { readonly signal: AbortSignal; readonly take?: Take };

const TIMEOUT_MS = 60_000;
/** For what undoes: whoever has asked may be gone. */
const UNDONE_IN_MS = 10_000;
/** openat2(2) gives EAGAIN for the `..` of a link while somebody renames something anywhere. */
const MOST_ATTEMPTS = 16;

/** A name that nobody else has. */
export function temporaryAt(place: Place): Temporary {
  return { place, temporary: `.kata-${randomUUID()}.tmp` };
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

/** In a child: the directory may be on a file system that hangs. */
export async function play(
  write: (tape: Tape) => void,
  playing: Playing,
  attempts = MOST_ATTEMPTS,
): Promise<void> {
  try {
    await work(write, { ...playing, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (attempts === 1 || !isRefused(error, "openat2", "EAGAIN")) throw error;
    await play(write, playing, attempts - 1);
  }
}

function isRefused(error: unknown, name: string, errno: "EISDIR" | "EAGAIN"): boolean {
  return error instanceof TapeError && error.call.name === name && error.is(errno);
}
