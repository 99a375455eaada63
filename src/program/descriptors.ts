// Which descriptors the child keeps. It is born with a copy of all that the agent has open, other
// containers' included, so everything it does not need goes first.
import { close_range, closeOnExecFrom, dup3 } from "../linux/io.ts";
import type { Tape } from "../tape/tape.ts";

/** Numbers in the agent at the moment of the clone. */
export type Stdio = { readonly stdin: number; readonly stdout: number; readonly stderr: number };

/** Put the pipes on 0, 1 and 2, where execve leaves them open. */
export function placeStdio(tape: Tape, { stdin, stdout, stderr }: Stdio): void {
  tape.do("place stdin", dup3(stdin, 0));
  tape.do("place stdout", dup3(stdout, 1));
  tape.do("place stderr", dup3(stderr, 2));
}

/** Close every descriptor above stderr but those of `keep`. */
export function closeOthers(tape: Tape, keep: readonly number[]): void {
  let first = 3;
  for (const kept of keep.toSorted((a, b) => a - b)) {
    if (kept > first)
      tape.do("close what the container must not have", close_range(first, kept - 1));
    first = Math.max(first, kept + 1);
  }
  tape.do("close what the container must not have", close_range(first));
}

/** Whatever is still open above stderr ends at execve. */
export function closeOnExec(tape: Tape): void {
  tape.do("close all but stdio on exec", closeOnExecFrom(3));
}
