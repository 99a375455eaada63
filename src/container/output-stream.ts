// What a process writes, read by the host in calls that may wait.
import { Mutex } from "../async/mutex.ts";
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { forget, readable } from "../kernel/poll.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { read } from "../linux/io.ts";

/** Who asks; aborted when nobody waits for the answer any more. */
export type Caller = { readonly signal: AbortSignal };

/** A response holds at most 4 MiB; what a call asks for beyond this comes with the next. */
const LONGEST_READ = 1 << 20;
const END = new Uint8Array(0);
const EAGAIN = -errnoNumber("EAGAIN");
/** A terminal whose far end nobody holds any more. */
const EIO = -errnoNumber("EIO");

/**
 * A pipe's read end or a terminal's master. The stream ends when nobody can write any more, or when
 * the process has exited and nothing is left to read: a descendant that keeps the pipe does not keep
 * the host waiting. No timer decides. (A terminal moves what was written to its reader in the
 * background, but read(2) waits for that before it gives EAGAIN: drivers/tty/n_tty.c.)
 */
export class OutputStream {
  readonly #fd: Fd;
  readonly #queue = new Mutex();
  #hasExited = false;
  #returned: Uint8Array[] = [];

  constructor(fd: Fd, exited: Promise<unknown>) {
    this.#fd = fd;
    void exited.then(() => this.#exit());
  }

  /**
   * 1 to `length` bytes as soon as there are any; none at the end, however often it is asked. Calls
   * are answered in their order. Throws what the caller's signal says, which is looked at only where
   * there is something to wait for; then nothing has been taken.
   */
  read(length: number, caller: Caller): Promise<Uint8Array> {
    const limit = Math.min(length, LONGEST_READ);
    if (limit === 0) return Promise.resolve(END);
    return this.#queue.run(() => this.#read(limit, caller));
  }

  /** Bytes of a read that could not be delivered: the next read begins with them. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#returned.unshift(bytes);
  }

  close(): void {
    this.#returned = [];
    this.#fd.close();
  }

  async #read(limit: number, caller: Caller): Promise<Uint8Array> {
    for (;;) {
      const returned = this.#takeReturned(limit);
      if (returned !== undefined) return returned;
      if (!this.#fd.isOpen) return END;
      // Before the read: what comes after this moment is no output of the process.
      const wasOver = this.#hasExited;
      const buffer = Buffer.allocUnsafe(limit);
      const call = read(this.#fd.number, buffer);
      const result = attempt(call);
      if (result > 0) return result === limit ? buffer : buffer.subarray(0, result);
      if (result === 0 || result === EIO) return END;
      if (result !== EAGAIN) throw new KernelError("read output", call, -result);
      if (wasOver) return END;
      await readable(this.#fd.number, caller.signal);
      caller.signal.throwIfAborted();
    }
  }

  /** A read that waits looks once more: then it has the last of the output, or it is over. */
  #exit(): void {
    this.#hasExited = true;
    if (this.#fd.isOpen) forget(this.#fd.number);
  }

  #takeReturned(limit: number): Uint8Array | undefined {
    const bytes = this.#returned.shift();
    if (bytes === undefined || bytes.length <= limit) return bytes;
    this.#returned.unshift(bytes.subarray(limit));
    return bytes.subarray(0, limit);
  }
}
