// The mounts of the pod by the place where they are: who uses each, and how it is taken back when
// nobody does any more.
import { unlessAborted } from "../async/unless-aborted.ts";
import { internal } from "../error.ts";

/** The use of a mount. Disposed, it is given up: the last one takes the mount away. */
export type Hold = AsyncDisposable & {
  /** From now on the mount stays until the pod ends, whoever gives it up. */
  readonly keep: () => void;
};

/** Makes the mount and says how that is taken back. `signal`: nobody waits for it any more. */
export type Make = (undo: AsyncDisposableStack, signal: AbortSignal) => Promise<void>;

type Entry = {
  readonly made: Promise<void>;
  readonly undo: AsyncDisposableStack;
  readonly stop: AbortController;
  users: number;
  isKept: boolean;
  /** Set when it is taken back. */
  over: Promise<void> | undefined;
};

export class StorageTable {
  readonly #entries = new Map<string, Entry>();
  /** Hears of what could not be taken back. */
  readonly #report: (target: string, error: unknown) => void;

  constructor(report: (target: string, error: unknown) => void) {
    this.#report = report;
  }

  /** In the order in which they were begun. */
  get targets(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Use the mount at `target`, which is made if there is none: once, however many ask meanwhile, and for as
   * long as one of them waits. Throws what `make` throws, when all has been taken back; and what
   * `signal` says.
   */
  async hold(target: string, make: Make, signal: AbortSignal): Promise<Hold> {
    signal.throwIfAborted();
    const known = this.#entries.get(target);
    if (known?.over !== undefined) {
      await unlessAborted(known.over, signal);
      return this.hold(target, make, signal);
    }
    const entry = known ?? this.#begin(target, make);
    entry.users += 1;
    try {
      await unlessAborted(entry.made, signal);
    } catch (error) {
      await this.#giveUp(target, entry);
      throw error;
    }
    let isHeld = true;
    return {
      keep: () => void (entry.isKept = true),
      [Symbol.asyncDispose]: async () => {
        if (isHeld) {
          isHeld = false;
          await this.#giveUp(target, entry);
        }
      },
    };
  }

  /** Take all back, the latest first: nobody uses them any more. */
  async end(): Promise<void> {
    for (const [target, entry] of [...this.#entries].toReversed()) await this.#end(target, entry);
  }

  #begin(target: string, make: Make): Entry {
    const undo = new AsyncDisposableStack();
    const stop = new AbortController();
    const made = make(undo, stop.signal);
    const entry = { made, undo, stop, users: 0, isKept: false, over: undefined };
    this.#entries.set(target, entry);
    return entry;
  }

  async #giveUp(target: string, entry: Entry): Promise<void> {
    entry.users -= 1;
    if (entry.users === 0 && !entry.isKept) await this.#end(target, entry);
  }

  /** Once, whoever asks. */
  #end(target: string, entry: Entry): Promise<void> {
    entry.over ??= this.#takeBack(target, entry);
    return entry.over;
  }

  async #takeBack(target: string, { made, undo, stop }: Entry): Promise<void> {
    stop.abort(internal(`nobody waits for the storage ${target}`));
    // Whoever waited for it has its error.
    await made.catch(() => {});
    try {
      await undo.disposeAsync();
    } catch (error) {
      this.#report(target, error);
    }
    this.#entries.delete(target);
  }
}
