// What a process writes, read by the host in calls that may wait.
//
// The end of a process and the end of its output are two events. Output is over when read(2) gives
// 0, or when it gives EAGAIN and the process is gone: whatever it wrote is in the pipe before its
// exit can be seen, so nothing of it is left then, even if a descendant in the background holds the
// pipe open for ever. No timer decides, and a read that comes long after the exit ends at once.
//
// This is as sound for the master of a pty, although a work queue moves to it what the far end
// wrote: a read that finds nothing first waits for that work (drivers/tty/n_tty.c, n_tty_read, since
// Linux 4.7), so EAGAIN means that nothing is on its way.
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { readable } from "../kernel/poll.ts";
import { call } from "../linux/call.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { read } from "../linux/io.ts";
import { type Caller, Turns } from "./turns.ts";

/** Bytes of one answer: more than 4 MiB would not fit a frame. The rest comes with the next. */
const LONGEST_READ = 1 << 20;

const EAGAIN = -errnoNumber("EAGAIN");
const EINTR = -errnoNumber("EINTR");
/** A terminal whose far end nobody holds any more. */
const EIO = -errnoNumber("EIO");

const END = new Uint8Array(0);

/** Bytes before those that were read, for heads of messages: so the data is copied but once. */
export const HEAD_ROOM = 32;

/** All reads go here first, so that a short answer to a long request needs no long buffer. */
const scratch = new Uint8Array(HEAD_ROOM + LONGEST_READ);

/** A pipe's read end or a terminal's master. */
export class OutputStream {
  readonly #fd: Fd;
  readonly #label: string;
  readonly #turns: Turns<Uint8Array>;
  #hasExited = false;
  #hasEnded = false;

  /** `fd` is not blocking. `name` is for errors; `exited` resolves when the process is gone. */
  constructor(fd: Fd, name: string, exited: Promise<unknown>) {
    this.#fd = fd;
    this.#label = `read ${name}`;
    this.#turns = new Turns(async () => readable(fd.number));
    void exited.then(() => {
      this.#hasExited = true;
      this.#turns.next();
    });
  }

  /**
   * 1 to `length` bytes as soon as there are any; none at the end, however often it is asked. They are
   * the caller's, and so are HEAD_ROOM bytes of their buffer before them. Calls are answered in their
   * order. Throws a KernelError, or what the caller's signal says, and then
   * nothing has been taken.
   */
  async read(length: number, caller: Caller): Promise<Uint8Array> {
    if (length <= 0) return END;
    const limit = Math.min(length, LONGEST_READ);
    return this.#turns.take(() => this.#take(limit), caller);
  }

  /** Reads that wait, and all to come, find the end. */
  close(): void {
    this.#hasEnded = true;
    this.#fd.close();
    this.#turns.next();
  }

  #take(limit: number): Uint8Array | undefined {
    if (this.#hasEnded) return END;
    const count = this.#read(limit);
    if (count > 0) return scratch.slice(0, HEAD_ROOM + count).subarray(HEAD_ROOM);
    if (count === EAGAIN && !this.#hasExited) return undefined;
    if (count < 0 && count !== EAGAIN && count !== EIO) {
      throw new KernelError(this.#label, call("read", this.#fd.number, null, limit), -count);
    }
    this.#hasEnded = true;
    return END;
  }

  #read(limit: number): number {
    for (;;) {
      const count = attempt(read(this.#fd.number, scratch.subarray(HEAD_ROOM, HEAD_ROOM + limit)));
      if (count !== EINTR) return count;
    }
  }
}
