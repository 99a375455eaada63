// Where the users of a container are at home, as its image's user database says: looked up by a child
// unless it is at hand, for the root may be on a file system that hangs, whoever serves it.
import { runListened } from "../child/run-listened.ts";
import { internal } from "../error.ts";
import type { Fd } from "../kernel/fd.ts";
import { isRegularFile } from "../kernel/file.ts";
import { readAtHand } from "../kernel/file-at-hand.ts";
import { ignoredSignals } from "../kernel/ignored-signals.ts";
import { homeOf } from "../oci/passwd.ts";
import { PASSWD, passwdProgram } from "../program/passwd.ts";
import { TapeError } from "../tape/error.ts";

/** The database of a large site has some thousand users, at about 60 bytes each. */
const LONGEST_PASSWD = 1 << 20;
const ANSWERED_IN_MS = 60_000;
/** Whoever asks for more users than a container has, has the rest looked up each time. */
const MOST = 64;

/** A container's root: where the agent finds it, or open. */
export type Root = string | Fd;

export class Homes implements Disposable {
  readonly #known = new Map<number, string>();
  readonly #over = new AbortController();

  /**
   * `/` for a user whom the image does not know yet: a container's program may add some. What was found once holds
   * for the life of the container.
   * Throws an AgentError when there is no answer, and what `signal` says.
   */
  async of(uid: number, root: Root, signal: AbortSignal): Promise<string> {
    const known = this.#known.get(uid);
    if (known !== undefined) return known;
    const stop = AbortSignal.any([signal, this.#over.signal]);
    const home = homeOf(await readPasswd(root, stop), uid);
    if (home !== undefined && this.#known.size < MOST) this.#known.set(uid, home);
    return home ?? "/";
  }

  /** Nobody waits for what is being looked up. */
  [Symbol.dispose](): void {
    this.#over.abort(internal("the container is not made"));
  }
}

/** Empty where there is none to read: an image need not know its users. */
async function readPasswd(root: Root, signal: AbortSignal): Promise<string> {
  return readAtHand(root, PASSWD, LONGEST_PASSWD) ?? (await readByChild(root, signal));
}

async function readByChild(root: Root, signal: AbortSignal): Promise<string> {
  let isFile = false;
  const at = typeof root === "string" ? root : root.number;
  try {
    const { stdout } = await runListened({
      program: (birth) => passwdProgram(at, LONGEST_PASSWD, birth),
      ignoredSignals: ignoredSignals(),
      stdin: "",
      kept: LONGEST_PASSWD,
      timeoutMs: ANSWERED_IN_MS,
      signal,
      take: async (place) => void (isFile = isRegularFile(place)),
      stops: [
        () => {
          if (!isFile) throw new NoFile();
        },
      ],
    });
    return stdout.text;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TapeError || error instanceof NoFile) return "";
    const reason = error instanceof Error ? error.message : String(error);
    throw internal(`read ${PASSWD} of the container: ${reason}`);
  }
}

class NoFile extends Error {}
