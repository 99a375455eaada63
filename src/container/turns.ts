// Calls that want the same descriptor take turns: one at a time, in the order they came, each tried
// again whenever the descriptor is ready. A call that waits costs one object and has no timer.

/** Who asks; aborted when nobody waits for the answer any more. */
export type Caller = { readonly signal: AbortSignal };

type Turn<Result> = {
  readonly attempt: () => Result | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
};

export class Turns<Result> {
  readonly #ready: () => Promise<void>;
  readonly #turns: Turn<Result>[] = [];
  #waiting = false;

  /** `ready` resolves when trying again may help, also when the descriptor is closed. */
  constructor(ready: () => Promise<void>) {
    this.#ready = ready;
  }

  /**
   * What `attempt` gives as soon as it is its turn and it gives something: undefined means that the
   * descriptor is not ready. Throws what it throws, or what the caller's signal says, and from then
   * on `attempt` is not called any more. Without a caller it cannot be cancelled.
   */
  async take(attempt: () => Result | undefined, caller?: Caller): Promise<Result> {
    const signal = caller?.signal;
    signal?.throwIfAborted();
    if (this.#turns.length === 0) {
      const result = attempt();
      if (result !== undefined) return result;
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const turn = { attempt, resolve, reject };
    const cancel = () => this.#cancel(turn, signal?.reason);
    this.#turns.push(turn);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#wait();
    try {
      return await promise;
    } finally {
      // The signal may outlive the turn by far.
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Let the first in line try, and then those behind it for as long as the descriptor is ready. */
  next(): void {
    for (let turn = this.#turns[0]; turn !== undefined; turn = this.#turns[0]) {
      try {
        const result = turn.attempt();
        if (result === undefined) {
          this.#wait();
          return;
        }
        turn.resolve(result);
      } catch (error) {
        turn.reject(error);
      }
      this.#turns.shift();
    }
  }

  #cancel(turn: Turn<Result>, reason: unknown): void {
    const index = this.#turns.indexOf(turn);
    if (index < 0) return;
    this.#turns.splice(index, 1);
    turn.reject(reason);
    // Who was behind it may not need a ready descriptor: the end of input does not. Not at once: one
    // lost connection cancels many, and the next in line may be one of them.
    if (index === 0) queueMicrotask(() => this.next());
  }

  /** One wait serves all turns, and those to come: what is cancelled leaves nothing behind. */
  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#ready().then(
      () => {
        this.#waiting = false;
        this.next();
      },
      (error: unknown) => {
        this.#waiting = false;
        this.#turns.shift()?.reject(error);
        this.next();
      },
    );
  }
}
