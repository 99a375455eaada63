// Work that is done again and again, by settings that may change meanwhile.
import { LONGEST_TIMER_MS } from "./timeout.ts";

export type PeriodicOptions<Settings> = {
  readonly settings: Settings;
  /** From the end of one time to the next. undefined: not any more, until the settings change. */
  readonly pauseMs: (settings: Settings) => number | undefined;
  /** Throws nothing. Gives how much longer the pause is to be this time, in milliseconds. */
  readonly run: (settings: Settings) => Promise<number>;
  readonly signal: AbortSignal;
};

/** Begins in the next turn of the event loop. Ends when the signal is aborted. */
export class Periodic<Settings> {
  #settings: Settings;
  readonly #options: PeriodicOptions<Settings>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;

  constructor(options: PeriodicOptions<Settings>) {
    this.#settings = options.settings;
    this.#options = options;
    options.signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
    if (options.pauseMs(options.settings) !== undefined) this.#wait(0);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** A pause begins anew. */
  change(settings: Settings): void {
    this.#settings = settings;
    if (!this.#isRunning) this.#pause(0);
  }

  #pause(longerMs: number): void {
    clearTimeout(this.#timer);
    const pauseMs = this.#options.pauseMs(this.#settings);
    if (pauseMs !== undefined) this.#wait(pauseMs + longerMs);
  }

  #wait(milliseconds: number): void {
    if (this.#options.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#run(), Math.min(milliseconds, LONGEST_TIMER_MS));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const longerMs = await this.#options.run(this.#settings);
    this.#isRunning = false;
    this.#pause(longerMs);
  }
}
