// What the host plugs into the guest while containers run, and who of them is to have it.
import { Mutex } from "../async/mutex.ts";
import type { Container } from "../container/container.ts";
import type { Warn } from "../container/guest.ts";
import { onlineMemory, onlineMemoryToCome, onlineProcessors } from "../guest/online.ts";

export type OnlineOptions = {
  /** How many there are to be in all. 0: nothing is said of them. */
  readonly processors: number;
  readonly memory: boolean;
  readonly signal: AbortSignal;
};

export class Hardware {
  readonly #containers: () => readonly Container[];
  readonly #warn: Warn;
  /** One call at a time: two would write to the same files, and one of them in vain. */
  readonly #queue = new Mutex();

  constructor(containers: () => readonly Container[], warn: Warn) {
    this.#containers = containers;
    this.#warn = warn;
  }

  /** Resolves when all takes part. Throws an AgentError if processors are missing, and what `signal` says. */
  online({ processors, memory, signal }: OnlineOptions): Promise<void> {
    return this.#queue.run(async () => {
      signal.throwIfAborted();
      if (processors > 0) await onlineProcessors(processors, signal);
      if (memory) await this.#onlineMemory(signal);
      if (processors === 0) return;
      await Promise.all(this.#containers().map((container) => container.addProcessors()));
    });
  }

  async #onlineMemory(signal: AbortSignal): Promise<void> {
    onlineMemoryToCome();
    const offline = await onlineMemory(signal);
    if (offline > 0) this.#warn("memory stays offline", { blocks: String(offline) });
  }
}
