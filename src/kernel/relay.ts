// Bytes from one descriptor to another. No more is read than has been written: who does not take what
// is sent to him makes the sender wait, not the agent grow.
import { errnoNumber } from "../linux/errno.ts";
import { read, write } from "../linux/io.ts";
import type { Fd } from "./fd.ts";
import { attempt } from "./perform.ts";
import { readable, writable } from "./poll.ts";

const BUFFER_SIZE = 16 << 10;

const EAGAIN = -errnoNumber("EAGAIN");
const EINTR = -errnoNumber("EINTR");

/**
 * Copy until `from` ends, nobody takes it at `to`, or one of them is closed here. Neither may block.
 * Once `noMore` is aborted, only what has already come is copied: it may be held open for ever.
 */
export async function relay(from: Fd, to: Fd, noMore?: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(BUFFER_SIZE);
  while (from.isOpen) {
    const count = attempt(read(from.number, buffer));
    if (count > 0) {
      if (!(await writeAll(to, buffer.subarray(0, count)))) return;
    } else if (count === EAGAIN && noMore?.aborted !== true) {
      await readable(from.number, noMore);
    } else if (count !== EINTR) {
      return;
    }
  }
}

/** false: nobody takes it any more. */
export async function writeAll(to: Fd, bytes: Uint8Array): Promise<boolean> {
  let rest = bytes;
  while (rest.length > 0) {
    if (!to.isOpen) return false;
    const count = attempt(write(to.number, rest));
    if (count >= 0) rest = rest.subarray(count);
    else if (count === EAGAIN) await writable(to.number);
    else if (count !== EINTR) return false;
  }
  return true;
}
