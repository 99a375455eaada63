// What a process reads, written by the host in calls that wait while it does not.
import { Mutex } from "../async/mutex.ts";
import { internal } from "../error.ts";
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { writable } from "../kernel/poll.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { write } from "../linux/io.ts";
import type { Caller } from "./output-stream.ts";

const EAGAIN = -errnoNumber("EAGAIN");

/** A pipe's write end or a terminal's master. */
export class InputStream {
  readonly #fd: Fd;
  readonly #isTerminal: boolean;
  readonly #queue = new Mutex();
  #isClosed = false;

  constructor(fd: Fd, isTerminal: boolean) {
    this.#fd = fd;
    this.#isTerminal = isTerminal;
  }

  /** All of `data`, in the order of the calls. Throws a KernelError (EPIPE) when nobody reads. */
  write(data: Uint8Array, caller: Caller): Promise<void> {
    if (this.#isClosed) return Promise.reject(internal("Cannot get writer: stdin is closed"));
    return this.#queue.run(() => this.#write(data, caller));
  }

  /**
   * Once the writes before it are done; again is nothing. A terminal stays open: its output comes by
   * the same descriptor, and closing that would also hang up the process.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#queue.run(async () => {
      if (!this.#isTerminal) this.#fd.close();
    });
  }

  /** Now: the process is removed. */
  drop(): void {
    this.#isClosed = true;
    this.#fd.close();
  }

  async #write(data: Uint8Array, caller: Caller): Promise<void> {
    let rest = data;
    while (rest.length > 0) {
      if (!this.#fd.isOpen) throw internal("Cannot get writer: the process was removed");
      const call = write(this.#fd.number, rest);
      const result = attempt(call);
      if (result >= 0) rest = rest.subarray(result);
      else if (result === EAGAIN) await this.#room(caller);
      else throw new KernelError("write stdin", call, -result);
    }
  }

  async #room(caller: Caller): Promise<void> {
    await writable(this.#fd.number, caller.signal);
    caller.signal.throwIfAborted();
  }
}
