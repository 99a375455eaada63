// The log as a stream for whoever connects, one reader at a time: process.md section 2.6.
import type { Fd } from "../kernel/fd.ts";
import { accept } from "../kernel/listener.ts";
import { attempt } from "../kernel/perform.ts";
import { readable } from "../kernel/poll.ts";
import { errnoName } from "../linux/errno.ts";
import { read } from "../linux/io.ts";
import type { LineOutput } from "./line-output.ts";

/** A reader has nothing to say; what it says is thrown away in pieces of this size. */
const SCRATCH = new Uint8Array(4096);

/**
 * Give the lines to a reader that comes to `listener`, to the next one when it has gone, and so on.
 * Throws when no reader can be accepted any more.
 */
export async function serveReaders(listener: Fd, output: LineOutput): Promise<never> {
  for (;;) {
    using reader = await accept(listener);
    output.attach(reader, () => {
      output.detach();
      reader.close();
    });
    await hasGone(reader);
    output.detach();
  }
}

/** Resolves when the other end has closed, or this one. */
async function hasGone(reader: Fd): Promise<void> {
  while (reader.isOpen) {
    await readable(reader.number);
    if (!reader.isOpen) return;
    const count = attempt(read(reader.number, SCRATCH));
    if (count === 0 || (count < 0 && errnoName(-count) !== "EAGAIN")) return;
  }
}
