// Notice that nobody asks for anything any more.

/** Calls `begin` once nobody has called `disturb` for so long, and again after each such pause. */
export class Rest {
  readonly #quietMs: number;
  readonly #begin: () => void;
  #disturbed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(quietMs: number, begin: () => void) {
    this.#quietMs = quietMs;
    this.#begin = begin;
  }

  /** Cheap: one timer waits, however often this is called. */
  disturb(): void {
    this.#disturbed = performance.now();
    this.#timer ??= setTimeout(this.#look, this.#quietMs);
  }

  readonly #look = (): void => {
    const left = this.#disturbed + this.#quietMs - performance.now();
    this.#timer = left > 0 ? setTimeout(this.#look, left) : undefined;
    if (this.#timer === undefined) this.#begin();
  };
}
