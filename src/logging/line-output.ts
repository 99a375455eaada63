// From the ring to a descriptor that takes lines when it likes. Writing never waits: what the
// descriptor does not take stays in the ring until it does, or until newer lines push it out.
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { writable } from "../kernel/poll.ts";
import { errnoNumber } from "../linux/errno.ts";
import { write } from "../linux/io.ts";
import type { LineRing } from "./line-ring.ts";

const EAGAIN = errnoNumber("EAGAIN");

export class LineOutput {
  readonly #ring: LineRing;
  /** The line to say that so many were lost. */
  readonly #sayLost: (count: number) => string;
  #target: { readonly fd: Fd; readonly onError: () => void } | undefined;
  /** The line being written, and how much of it is. */
  #line: Uint8Array | undefined;
  #written = 0;
  #isWaiting = false;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(ring: LineRing, sayLost: (count: number) => string) {
    this.#ring = ring;
    this.#sayLost = sayLost;
  }

  /** Resolves when everything is written. Nothing may be there to write to: whoever waits has a limit. */
  drained(): Promise<void> {
    this.#drained ??= Promise.withResolvers();
    const { promise } = this.#drained;
    this.flush();
    return promise;
  }

  /** Everything is written. */
  get isDrained(): boolean {
    return this.#line === undefined && !this.#ring.hasMore;
  }

  /**
   * Write to `fd` from here on, beginning with the line that its predecessor did not take whole. It
   * must not block; it stays the caller's. After an error the next line is tried again.
   */
  attach(fd: Fd, onError: () => void = () => {}): void {
    this.#target = { fd, onError };
    this.#written = 0;
    this.#isWaiting = false;
    this.flush();
  }

  detach(): void {
    this.#target = undefined;
  }

  /** Write what the descriptor takes now; the rest follows by itself. */
  flush(): void {
    const target = this.#target;
    if (target === undefined || !target.fd.isOpen || this.#isWaiting) return;
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      const result = attempt(write(target.fd.number, line.subarray(this.#written)));
      if (result === -EAGAIN) return void this.#resume(target.fd);
      if (result < 0) return target.onError();
      this.#written += result;
      if (this.#written === line.length) this.#line = undefined;
    }
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #next(): Uint8Array | undefined {
    if (this.#line !== undefined) return this.#line;
    const lost = this.#ring.takeLost();
    const text = lost > 0 ? this.#sayLost(lost) : this.#ring.take();
    if (text === undefined) return undefined;
    this.#written = 0;
    this.#line = new TextEncoder().encode(text);
    return this.#line;
  }

  async #resume(fd: Fd): Promise<void> {
    this.#isWaiting = true;
    // Where it cannot be waited for, the next line finds out whether there is room again.
    const isRoom = await writable(fd.number).then(
      () => true,
      () => false,
    );
    // Another descriptor may have come in the meantime, with waiting of its own.
    if (this.#target?.fd !== fd) return;
    this.#isWaiting = false;
    if (isRoom) this.flush();
  }
}
