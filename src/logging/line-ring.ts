// The last lines of the log, in memory: those that nobody has taken yet, and before them those that
// were. A log that nobody reads must not make the agent grow.

/** UTF-16 units, over a thousand lines: at most 512 KiB. */
export const RING_SIZE = 256 << 10;

export class LineRing {
  readonly #lines: string[] = [];
  readonly #size: number;
  #held = 0;
  /** How many of `#lines`, from the first, were taken. */
  #taken = 0;
  /** How many were dropped that nobody had taken. */
  #lost = 0;

  constructor(size = RING_SIZE) {
    this.#size = size;
  }

  /** Keep a line. The oldest are dropped, taken or not, when there is too much. */
  add(line: string): void {
    this.#lines.push(line);
    this.#held += line.length;
    while (this.#held > this.#size) {
      this.#held -= this.#lines.shift()?.length ?? 0;
      if (this.#taken > 0) this.#taken--;
      else this.#lost++;
    }
  }

  /** The next line that nobody has taken. */
  take(): string | undefined {
    const line = this.#lines[this.#taken];
    if (line !== undefined) this.#taken++;
    return line;
  }

  /** There is something to take. */
  get hasMore(): boolean {
    return this.#taken < this.#lines.length || this.#lost > 0;
  }

  /** How many lines were dropped untaken since the last time somebody asked. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** What was logged last, the newest at the end. */
  recent(): readonly string[] {
    return [...this.#lines];
  }
}
