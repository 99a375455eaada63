// Containers in which the kernel has killed for want of memory, until a host asks for them: each once,
// to whoever has waited longest, whatever connection that is.
import { internal } from "../error.ts";

/** Kata's agent keeps as many. */
const MOST = 100;

type Waiter = {
  readonly resolve: (containerId: string) => void;
  readonly reject: (reason: unknown) => void;
};

export class OomEvents {
  readonly #events: string[] = [];
  #waiters: Waiter[] = [];
  #over: Error | undefined;

  push(containerId: string): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve(containerId);
      return;
    }
    // What is left out is best known already: an earlier event of the same container, else the oldest.
    if (this.#events.length >= MOST)
      this.#events.splice(Math.max(this.#events.indexOf(containerId), 0), 1);
    this.#events.push(containerId);
  }

  /**
   * The id of the next container. Throws what `caller` says once that is aborted, and then no event is
   * lost; throws once there are no more to come.
   */
  async next(caller: AbortSignal): Promise<string> {
    caller.throwIfAborted();
    if (this.#over !== undefined) throw this.#over;
    const event = this.#events.shift() ?? (await this.#wait(caller));
    if (!caller.aborted) return event;
    // It came in the turn in which the caller went: the next one is to have it, before all others.
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#events.unshift(event);
    else waiter.resolve(event);
    throw caller.reason;
  }

  /** No more events: whoever waits learns it. */
  close(): void {
    this.#over = internal("the sandbox is destroyed");
    for (const { reject } of this.#waiters.splice(0)) reject(this.#over);
  }

  async #wait(caller: AbortSignal): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const waiter = { resolve, reject };
    const abort = () => {
      this.#waiters = this.#waiters.filter((each) => each !== waiter);
      reject(caller.reason);
    };
    this.#waiters.push(waiter);
    caller.addEventListener("abort", abort, { once: true });
    try {
      return await promise;
    } finally {
      caller.removeEventListener("abort", abort);
    }
  }
}
