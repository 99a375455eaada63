// The standard streams of a process, on the agent's side.
import { unavailable } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { perform } from "../kernel/perform.ts";
import { setPipeSize, setStatusFlags } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { openPtyPeer, setWindowSize } from "../linux/tty.ts";
import { InputStream } from "./input-stream.ts";
import { OutputStream } from "./output-stream.ts";
import type { PassedStreams } from "./passed-streams.ts";

export class Stdio {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  /** A terminal has one output: the same stream. */
  readonly stderr: OutputStream;
  readonly master: Fd | undefined;
  readonly #peer: Fd | undefined;
  readonly #passed = new DisposableStack();

  constructor(
    stdin: InputStream,
    stdout: OutputStream,
    stderr: OutputStream,
    terminal?: { readonly master: Fd; readonly peer: Fd },
  ) {
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    this.master = terminal?.master;
    this.#peer = terminal?.peer;
  }

  /** Sizes in characters. Throws a KernelError. */
  resize(rows: number, columns: number): void {
    if (this.master === undefined) throw unavailable("no tty");
    perform("resize the terminal", setWindowSize(this.master.number, rows, columns));
  }

  /** They take the place of calls. Resolves when all output has gone. */
  connect(streams: PassedStreams): Promise<unknown> {
    return streams.connect(this, this.#passed);
  }

  /** The process is removed: reads that wait end, writes that wait fail. Again is nothing. */
  close(): void {
    this.stdin.drop();
    this.stdout.close();
    this.stderr.close();
    this.#peer?.close();
    this.#passed.dispose();
  }
}

/**
 * Owns `master`, of an unlocked pty and not blocking, also when it throws a KernelError.
 *
 * The agent keeps the far end of the terminal open as well. An init like systemd
 * closes its terminal and opens it again whenever it has something to say; with nobody at the far
 * end in between, the master would give EIO, and the host would never read again. (It would also be
 * ready all the time and never be so: to wait for it would keep the agent busy.)
 */
export function terminalStdio(master: Fd, exited: Promise<unknown>): Stdio {
  using onFailure = new DisposableStack();
  onFailure.use(master);
  const peer = Fd.of("open the far end of the terminal", openPtyPeer(master.number));
  onFailure.move();
  const output = new OutputStream(master, "the terminal", exited);
  const input = new InputStream(master, "terminal", exited);
  return new Stdio(input, output, output, { master, peer });
}

export type ChildEnds = { readonly stdin: Fd; readonly stdout: Fd; readonly stderr: Fd };

/** Three pipes. Disposing closes the child's ends, and the agent's unless `into` took them. */
export class Pipes implements Disposable {
  readonly child: ChildEnds;
  readonly #agent: ChildEnds;
  readonly #owned: DisposableStack;

  constructor(child: ChildEnds, agent: ChildEnds, owned: DisposableStack) {
    this.child = child;
    this.#agent = agent;
    this.#owned = owned;
  }

  /** The child has its ends; the agent's become streams. */
  into(exited: Promise<unknown>): Stdio {
    const { stdin, stdout, stderr } = this.#agent;
    this.#owned.move();
    for (const fd of Object.values(this.child)) fd.close();
    return new Stdio(
      new InputStream(stdin, "pipe", exited),
      new OutputStream(stdout, "stdout", exited),
      new OutputStream(stderr, "stderr", exited),
    );
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** `outputSize` in bytes for stdout and stderr; 0: the kernel's default. */
export function openPipes(outputSize: number): Pipes {
  using owned = new DisposableStack();
  const open = (name: string) => {
    const [readEnd, writeEnd] = Fd.pipe(`open a pipe for ${name}`);
    return { readEnd: owned.use(readEnd), writeEnd: owned.use(writeEnd) };
  };
  const [stdin, stdout, stderr] = [open("stdin"), open("stdout"), open("stderr")];
  const agent = { stdin: stdin.writeEnd, stdout: stdout.readEnd, stderr: stderr.readEnd };
  // Each end is an open file of its own: the process's ends stay blocking.
  for (const fd of Object.values(agent)) {
    perform("make a pipe non-blocking", setStatusFlags(fd.number, O.NONBLOCK));
  }
  if (outputSize > 0) {
    for (const fd of [agent.stdout, agent.stderr]) {
      perform("set the size of a pipe", setPipeSize(fd.number, outputSize));
    }
  }
  const child = { stdin: stdin.readEnd, stdout: stdout.writeEnd, stderr: stderr.writeEnd };
  return new Pipes(child, agent, owned.move());
}
