// What was written last to a pipe, however much it was.
import { errnoNumber } from "../linux/errno.ts";
import { read } from "../linux/io.ts";
import type { Fd } from "./fd.ts";
import { attempt } from "./perform.ts";
import { readable } from "./poll.ts";

/** As much as a pipe holds, unless somebody has made it larger. */
const CHUNK = 64 << 10;
/** After the end: who goes on writing is not listened to. */
const MOST_CHUNKS_AFTER = 2;

const EAGAIN = -errnoNumber("EAGAIN");
const EINTR = -errnoNumber("EINTR");

export type Tail = {
  /** After an ellipsis where it is not all. */
  readonly text: string;
  readonly isCut: boolean;
};

/**
 * The last `most` bytes, once the pipe has ended or `over` is aborted: then only what has already come
 * is read, for somebody may hold the pipe open for ever. `from` does not block. A broken character at
 * the cut is replaced.
 */
export async function readTail(from: Fd, most: number, over: AbortSignal): Promise<Tail> {
  const buffer = new Uint8Array(CHUNK);
  let tail = Buffer.alloc(0);
  let length = 0;
  for (let after = 0; after < MOST_CHUNKS_AFTER;) {
    // Before each read: whoever writes without a pause must not keep the event loop from the rest.
    await readable(from.number, over);
    if (over.aborted) after++;
    const count = attempt(read(from.number, buffer));
    if (count === EINTR || (count === EAGAIN && !over.aborted)) continue;
    if (count <= 0) break;
    length += count;
    tail = Buffer.concat([tail, buffer.subarray(0, count)]).subarray(-most);
  }
  const isCut = length > most;
  return { text: isCut ? `…${tail.toString()}` : tail.toString(), isCut };
}
