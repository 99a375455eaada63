// A program as a process: it is told something, listened to, and made to end.
import { Fd } from "../kernel/fd.ts";
import { perform } from "../kernel/perform.ts";
import { writeAll } from "../kernel/relay.ts";
import { type Tail, readTail } from "../kernel/tail.ts";
import { setStatusFlags } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import type { Tape } from "../tape/tape.ts";
import { type Clone, type SpawnBirth, clone } from "./clone.ts";
import { type Limits, endOf } from "./end-of.ts";

export type Listened = Omit<Clone, "stdio" | "namespaces"> &
  Limits & {
    /** Makes a session of its own, which ends with it. */
    readonly program: (birth: SpawnBirth) => Tape;
    /** For its standard input. */
    readonly stdin: string | Uint8Array;
    /** Of each output, in bytes: what is written last says why it fails. */
    readonly kept: number;
    /** Take both outputs for one. */
    readonly together?: boolean;
  };

export type Heard = {
  /** The exit code, or 128 + the signal that killed it. */
  readonly status: number;
  readonly stdout: Tail;
  /** Empty where the outputs are taken together. */
  readonly stderr: Tail;
};

/**
 * Resolves when it has ended; what it leaves behind is not waited for, even where that holds its
 * output open. Throws a TapeError when it cannot be executed, an Error when it runs too long, and
 * what `signal` says: then its whole process group is killed.
 */
export async function runListened(options: Listened): Promise<Heard> {
  const { stdin: text, kept, signal } = options;
  signal.throwIfAborted();
  using owned = new DisposableStack();
  const { child, stdin, stdout, stderr } = launchListened(options, owned);
  const over = new AbortController();
  const heard = [stdout, stderr].map((pipe) => readTail(pipe, kept, over.signal)) as [
    Promise<Tail>,
    Promise<Tail>,
  ];
  // It may end, or close its standard input, without having read a word.
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const told = writeAll(stdin, bytes).then(() => stdin.close());
  try {
    const status = await endOf(child, options);
    over.abort();
    const [out, err] = await Promise.all(heard);
    return { status, stdout: out, stderr: err };
  } finally {
    over.abort();
    stdin.close();
    await Promise.all([...heard, told]);
  }
}

/** The agent's ends, and the child's descriptors, go to `owned`. */
function launchListened(options: Listened, owned: DisposableStack) {
  using ends = new DisposableStack();
  const [stdinEnd, stdin] = Fd.pipe("open a pipe for stdin");
  ends.use(stdinEnd);
  owned.use(stdin);
  const [stdout, stdoutEnd] = Fd.pipe("open a pipe for stdout");
  ends.use(stdoutEnd);
  owned.use(stdout);
  const [stderr, stderrEnd] = Fd.pipe("open a pipe for stderr");
  ends.use(stderrEnd);
  owned.use(stderr);
  for (const fd of [stdin, stdout, stderr])
    perform("make a pipe non-blocking", setStatusFlags(fd.number, O.NONBLOCK));
  const { child } = clone({
    ...options,
    stdio: {
      stdin: stdinEnd.number,
      stdout: stdoutEnd.number,
      stderr: options.together === true ? stdoutEnd.number : stderrEnd.number,
    },
  });
  return { child: owned.use(child), stdin, stdout, stderr };
}
