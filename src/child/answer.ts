// What calls find out that may block, such as of a file system whose server is the host.
import { Fd } from "../kernel/fd.ts";
import { perform } from "../kernel/perform.ts";
import { setStatusFlags, read } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import type { Tape } from "../tape/tape.ts";
import { type Work, work } from "./work.ts";

/** A pipe takes as much without anybody who reads. */
const MOST_BYTES = 4096;

/**
 * As `work`; resolves with what the calls have written to the descriptor `to`, 4096 bytes at most. Throws
 * a KernelError where they have written nothing.
 */
export async function answerOf(
  write: (tape: Tape, to: number) => void,
  options: Omit<Work, "keep">,
): Promise<Uint8Array> {
  const label = "hear what a child has found out";
  const [from, to] = Fd.pipe(label);
  using ends = new DisposableStack();
  ends.use(from);
  ends.use(to);
  perform(label, setStatusFlags(from.number, O.NONBLOCK));
  await work((tape) => write(tape, to.number), { ...options, keep: [to.number] });
  const bytes = new Uint8Array(MOST_BYTES);
  return bytes.subarray(0, perform(label, read(from.number, bytes)));
}
