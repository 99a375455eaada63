// One volume that is watched, and its copy. One that holds more than may be watched is shown as it is.
import { Mutex } from "../async/mutex.ts";
import { within } from "../async/timeout.ts";
import type { Fd } from "../kernel/fd.ts";
import { Mirror } from "./mirror.ts";
import { type MountContext, mount } from "./mount.ts";
import type { WatchedPlace } from "./watched-place.ts";
import {
  TooMuchToWatch,
  type WatchedEntries,
  type WatchedTree,
  areAlike,
  lookAt,
} from "../kernel/watched-tree.ts";

/** A host changes a volume in a few steps, and then not again for a while. */
const MOST_LOOKS = 3;
/** For a volume whose file system the host serves no more. */
const LOOK_MS = 10_000;

export class Watch {
  readonly source: string;
  readonly #target: string;
  readonly #services: MountContext["services"];
  readonly #mirror: Mirror;
  /** One look at a time, and none once it has ended. */
  readonly #queue = new Mutex();
  #shownAsItIs: AsyncDisposable | undefined;
  #isOver = false;
  #isUnanswered = false;

  /** `root`: what `place` names, open. */
  constructor(source: string, place: WatchedPlace, root: Fd, services: MountContext["services"]) {
    this.source = source;
    this.#target = `${place.root}/${place.name}`;
    this.#services = services;
    this.#mirror = new Mirror(root, place.name);
  }

  /** Bring the copy up to date: how many entries were not. Throws an Error, and then the copy is the old one. */
  update(signal: AbortSignal): Promise<number> {
    return this.#queue.run(async () => {
      if (this.#isOver || this.#shownAsItIs !== undefined) return 0;
      try {
        const tree = await this.#look();
        return tree === undefined ? 0 : await this.#mirror.show(tree);
      } catch (error) {
        if (!(error instanceof TooMuchToWatch)) throw error;
        await this.#showAsItIs(error, signal);
        return 0;
      }
    });
  }

  /** The copy goes. Not through what is mounted over it, should that not go. */
  end(): Promise<void> {
    return this.#queue.run(async () => {
      this.#isOver = true;
      try {
        await this.#shownAsItIs?.[Symbol.asyncDispose]();
      } finally {
        await this.#mirror.clear();
      }
    });
  }

  /** undefined: nothing has changed. */
  async #look(): Promise<WatchedTree | undefined> {
    if (this.#isUnanswered) throw new Error("it has still not answered");
    this.#isUnanswered = true;
    let tree: WatchedTree | undefined;
    const look = steadyLook(this.source, this.#mirror.entries).then(
      (seen) => {
        tree = seen;
        this.#isUnanswered = false;
      },
      (error: unknown) => {
        this.#isUnanswered = false;
        throw error;
      },
    );
    if (await within(look, LOOK_MS)) return tree;
    throw new Error(`it has not answered within ${LOOK_MS / 1000} s`);
  }

  async #showAsItIs(reason: TooMuchToWatch, signal: AbortSignal): Promise<void> {
    await using undo = new AsyncDisposableStack();
    const request = { source: this.source, fstype: "bind", target: this.#target, options: [] };
    await mount(request, { undo, signal, services: this.#services });
    this.#shownAsItIs = undo.move();
    this.#services.warn("a volume is not watched but shown as it is", {
      volume: this.source,
      error: reason.message,
    });
  }
}

/** The same at two looks, one after the other, so that nothing is taken from the middle of a change. */
async function steadyLook(source: string, known: WatchedEntries): Promise<WatchedTree | undefined> {
  let reason: unknown = new Error("it changes all the time");
  for (let look = 0; look < MOST_LOOKS; look++) {
    try {
      const tree = await lookAt(source, known);
      if (areAlike(tree.entries, known)) return undefined;
      const again = await lookAt(source, tree.entries);
      if (areAlike(again.entries, tree.entries)) return tree;
    } catch (error) {
      if (error instanceof TooMuchToWatch) throw error;
      reason = error;
    }
  }
  throw reason;
}
