// What a process reads, written by the host in calls that wait while it does not.
import { internal } from "../error.ts";
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { writable } from "../kernel/poll.ts";
import { call } from "../linux/call.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { write } from "../linux/io.ts";
import { type Caller, Turns } from "./turns.ts";

const EAGAIN = -errnoNumber("EAGAIN");
const EINTR = -errnoNumber("EINTR");

/** A pipe's write end or a terminal's master. */
export class InputStream {
  readonly #fd: Fd;
  readonly #kind: "pipe" | "terminal";
  readonly #turns: Turns<true>;
  #isClosed = false;
  #hasExited = false;

  /** `fd` is not blocking; `exited` resolves when the process is gone. */
  constructor(fd: Fd, kind: "pipe" | "terminal", exited: Promise<unknown>) {
    this.#fd = fd;
    this.#kind = kind;
    this.#turns = new Turns(async () => writable(fd.number));
    // A pipe says itself when nobody can read it; a terminal takes input for nobody until it is full.
    if (kind === "terminal") {
      void exited.then(() => {
        this.#hasExited = true;
        this.#turns.next();
      });
    }
  }

  /**
   * All of `data`, which must not change meanwhile, in the order of the calls and in one piece. Throws
   * a KernelError, EPIPE when nobody can read it, or what the caller's signal says; a part of the data
   * may have been written then. After the end of input, or of a terminal's process: an AgentError.
   */
  async write(data: Uint8Array, caller: Caller): Promise<void> {
    if (this.#isClosed) throw internal("Cannot get writer: stdin is closed");
    let rest = data;
    await this.#turns.take(() => {
      while (rest.length > 0) {
        const count = this.#write(rest);
        if (count === EAGAIN) return undefined;
        rest = rest.subarray(count);
      }
      return true;
    }, caller);
  }

  /**
   * Once the writes before it are done; again is nothing. The reader of a pipe sees the end of the
   * file. A terminal has no such state: its master carries the output too, and to close it, as the
   * reference agent does, hangs up on a process that may have more to say. The character for the end
   * of a file (VEOF) would be input that nobody typed, and data to a program in raw mode. So a
   * terminal is sent nothing; later writes are refused.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#kind === "terminal") return;
    await this.#turns.take(() => {
      this.#fd.close();
      return true;
    });
  }

  /** Now: the process is removed. Writes that wait fail. */
  drop(): void {
    this.#isClosed = true;
    this.#fd.close();
    this.#turns.next();
  }

  /** Bytes taken, or -EAGAIN. */
  #write(data: Uint8Array): number {
    if (!this.#fd.isOpen) throw internal("Cannot get writer: the process was removed");
    if (this.#hasExited) throw internal("Cannot get writer: the process has ended");
    for (;;) {
      const count = attempt(write(this.#fd.number, data));
      if (count >= 0 || count === EAGAIN) return count;
      if (count === EINTR) continue;
      // Without the data: it may be a secret, and errors are logged.
      const failed = call("write", this.#fd.number, null, data.length);
      throw new KernelError("write stdin", failed, -count);
    }
  }
}
