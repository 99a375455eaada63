// Children of a test: tapes played by the player, and what the programs they execute print.
import { afterAll, beforeAll } from "bun:test";
import { readFileSync } from "node:fs";
import { Fd } from "../../src/kernel/fd.ts";
import { attempt } from "../../src/kernel/perform.ts";
import { readable } from "../../src/kernel/poll.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { errnoNumber } from "../../src/linux/errno.ts";
import { KernelError } from "../../src/linux/error.ts";
import { dup3, read } from "../../src/linux/io.ts";
import { O } from "../../src/linux/open-flags.ts";
import { execve } from "../../src/linux/process.ts";
import { type Child, launch, openControl } from "../../src/tape/player.ts";
import { Tape } from "../../src/tape/tape.ts";

/**
 * Reap while the tests of the calling file run, and no longer: all test files share one process, and
 * the reaper would take the children of another file's Bun.spawn.
 */
export function reapInThisFile(): void {
  beforeAll(startReaper);
  afterAll(() => void process.removeAllListeners("SIGCHLD"));
}

/** The pids of this process's children, those that ended and wait to be reaped among them. */
export function childPids(): readonly string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").match(/\d+/g) ?? [];
}

/** Launch the tape that `build` writes. */
export function play(build: (tape: Tape) => void): Child {
  const tape = new Tape();
  build(tape);
  return launch({ tape, control: openControl() });
}

/** Append the execution of a shell script. */
export function shell(tape: Tape, script: string): void {
  tape.do("execute the shell", execve("/bin/sh", ["sh", "-c", script], ["PATH=/usr/bin:/bin"]));
}

/** A pipe; the end to read from does not block. */
export function openPipe(): [from: Fd, to: Fd] {
  return Fd.pipe("open a pipe", O.NONBLOCK);
}

/** All that comes from `from` until every copy of its other end is closed. */
export async function readAll(from: Fd): Promise<string> {
  const text = new TextDecoder();
  let all = "";
  for (;;) {
    const chunk = readNow(from);
    if (chunk?.length === 0) return all + text.decode();
    if (chunk !== undefined) all += text.decode(chunk, { stream: true });
    else await readable(from.number);
  }
}

/** What `from` holds: undefined for nothing yet, no bytes for its end. */
export function readNow(from: Fd): Uint8Array | undefined {
  const buffer = new Uint8Array(65_536);
  const call = read(from.number, buffer);
  const length = attempt(call);
  if (length === -errnoNumber("EAGAIN")) return undefined;
  if (length < 0) throw new KernelError("read", call, -length);
  return buffer.subarray(0, length);
}

/** What a shell script prints, and its exit status. `prepare` appends what comes before it. */
export async function run(
  script: string,
  prepare: (tape: Tape) => void = () => {},
): Promise<{ readonly output: string; readonly status: number }> {
  const [from, to] = openPipe();
  using _ = from;
  using child = play((tape) => {
    tape.do("place stdout", dup3(to.number, 1));
    prepare(tape);
    shell(tape, script);
  });
  to.close();
  await child.played();
  const output = await readAll(from);
  return { output, status: await child.exit };
}
