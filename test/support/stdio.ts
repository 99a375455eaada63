// Processes with standard streams, held from the agent's side.
import { readdirSync } from "node:fs";
import { type Pipes, type Stdio, openPipes, terminalStdio } from "../../src/container/stdio.ts";
import type { Caller } from "../../src/container/turns.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { perform } from "../../src/kernel/perform.ts";
import { AT_FDCWD, SIG } from "../../src/linux/constants.ts";
import { openat } from "../../src/linux/fs.ts";
import { dup3, write } from "../../src/linux/io.ts";
import { O } from "../../src/linux/open-flags.ts";
import { setsid } from "../../src/linux/process.ts";
import { openPtyPeer, setControllingTerminal, unlockPty } from "../../src/linux/tty.ts";
import type { Child } from "../../src/tape/player.ts";
import type { Tape } from "../../src/tape/tape.ts";
import { play } from "./child.ts";
import { seeded } from "./random.ts";

export const caller: Caller = { signal: new AbortController().signal };

export type Running = { readonly child: Child; readonly stdio: Stdio } & Disposable;

function running(child: Child, stdio: Stdio): Running {
  const end = () => {
    child.signal(SIG.KILL);
    child[Symbol.dispose]();
    stdio.close();
  };
  return { child, stdio, [Symbol.dispose]: end };
}

/** A process whose standard streams are pipes. Disposing kills it. */
export function withPipes(build: (tape: Tape) => void): Running {
  using pipes = openPipes(0);
  const child = play((tape) => {
    placePipes(tape, pipes);
    build(tape);
  });
  return running(child, pipes.into(child.exit));
}

function placePipes(tape: Tape, { child: { stdin, stdout, stderr } }: Pipes): void {
  for (const [number, fd] of [stdin, stdout, stderr].entries()) {
    tape.do(`place descriptor ${number}`, dup3(fd.number, number));
  }
}

/** The master of a new pty; it does not block, and its far end is locked. */
export function openMaster(): Fd {
  const flags = O.RDWR | O.NOCTTY | O.NONBLOCK;
  return Fd.of("open a terminal", openat(AT_FDCWD, "/dev/ptmx", flags));
}

/** A process that leads a session on a terminal of its own. Disposing kills it. */
export function withTerminal(build: (tape: Tape) => void): Running {
  const master = openMaster();
  perform("unlock the terminal", unlockPty(master.number));
  const child = play((tape) => {
    const peer = tape.fd("open its far end", openPtyPeer(master.number));
    for (const number of [0, 1, 2]) tape.do(`place it on ${number}`, dup3(peer, number));
    tape.do("lead a session", setsid());
    tape.do("take it as controlling terminal", setControllingTerminal(0));
    build(tape);
  });
  return running(child, terminalStdio(master, child.exit));
}

export async function readToEnd(stream: Stdio["stdout"], length = 65_536): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read(length, caller);
    if (chunk.length === 0) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

/** Resolves when `stream` has given `text`; all that it gave. */
export async function readUntil(stream: Stdio["stdout"], text: string): Promise<string> {
  let all = "";
  while (!all.includes(text)) {
    const chunk = await stream.read(65_536, caller);
    if (chunk.length === 0) throw new Error(`output ended after ${JSON.stringify(all)}`);
    all += Buffer.from(chunk).toString();
  }
  return all;
}

/** Letters only: a terminal's line discipline changes nothing of them. */
export function letters(length: number, seed: number): Buffer {
  const random = seeded(seed);
  const text = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) text[i] = 97 + Math.floor(random() * 26);
  return text;
}

export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

const SIZES = [1, 4095, 4096, 65_536, 65_537, 1 << 20];

/** Processes that write and end at once, 16 at a time; the first whose output is not complete. */
export async function firstLoss(
  start: (build: (tape: Tape) => void) => Running,
  runs: number,
  { number = 1, sizes = SIZES } = {},
): Promise<string | undefined> {
  const data = sizes.map((size) => letters(size, size));
  const run = async (index: number) => {
    const sent = data[index % data.length] ?? Buffer.alloc(0);
    using process = start((tape) => tape.do("write", write(number, sent)));
    const { stdout, stderr } = process.stdio;
    const received = await readToEnd(number === 1 ? stdout : stderr);
    return received.equals(sent) ? undefined : `run ${index}: ${received.length} of ${sent.length}`;
  };
  for (let index = 0; index < runs; index += 16) {
    const batch = Array.from({ length: Math.min(16, runs - index) }, (_, i) => run(index + i));
    const loss = (await Promise.all(batch)).find((each) => each !== undefined);
    if (loss !== undefined) return loss;
  }
  return undefined;
}
