// Streams of a process that the host has connected to the agent beforehand, one connection each, so that
// what it reads and writes goes there without a call: rpc.md 6.35, "passfd IO".
import { NEVER } from "../async/never.ts";
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { readable } from "../kernel/poll.ts";
import { writeAll } from "../kernel/relay.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { read } from "../linux/io.ts";
import type { InputStream } from "./input-stream.ts";
import type { OutputStream } from "./output-stream.ts";

const CHUNK = 64 << 10;
const EAGAIN = -errnoNumber("EAGAIN");
const EINTR = -errnoNumber("EINTR");

/** What ends a copy is that a stream is closed. */
const NOBODY = { signal: NEVER };

type Ends = { readonly stdin?: Fd; readonly stdout?: Fd; readonly stderr?: Fd };

type ProcessEnds = {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
};

/** Not blocking. Disposed, they are closed, unless they were connected. */
export class PassedStreams implements Disposable {
  #ends: Ends;

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  /** Copy until a side has ended; `over` resolves when all output has gone. `closing` has the rest to close. */
  connect({ stdin, stdout, stderr }: ProcessEnds, closing: DisposableStack): Promise<unknown> {
    const ends = this.#ends;
    this.#ends = {};
    for (const end of Object.values(ends)) closing.use(end);
    if (ends.stdin !== undefined) void feed(ends.stdin, stdin);
    const outputs = [ends.stdout && drain(stdout, ends.stdout)];
    // A terminal has one output.
    if (stderr !== stdout) outputs.push(ends.stderr && drain(stderr, ends.stderr));
    return Promise.all(outputs);
  }

  [Symbol.dispose](): void {
    for (const end of Object.values(this.#ends)) end.close();
  }
}

/** The end of the stream is the end of the input. */
async function feed(from: Fd, stdin: InputStream): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  try {
    while (from.isOpen) {
      const count = attempt(read(from.number, buffer));
      if (count > 0) await stdin.write(buffer.subarray(0, count), NOBODY);
      else if (count === EAGAIN) await readable(from.number);
      else if (count !== EINTR) break;
    }
    await stdin.close();
  } catch (error) {
    // The process reads no more: the host learns of it as it does of a pipe that nobody reads.
    if (!(error instanceof Error)) throw error;
  } finally {
    from.close();
  }
}

/** What nobody takes any more is read and dropped: the program is not stopped by it. */
async function drain(output: OutputStream, to: Fd): Promise<void> {
  let isTaken = true;
  try {
    for (;;) {
      const data = await output.read(CHUNK, NOBODY);
      if (data.length === 0) return;
      isTaken &&= await writeAll(to, data);
    }
  } catch (error) {
    // There is no more to come, as far as anybody can tell: that must not hide how the process ended.
    if (!(error instanceof KernelError)) throw error;
  } finally {
    to.close();
  }
}
