// Stdout and stderr, without ever waiting for whoever reads them: a pipe, a socket or a console can
// have nobody at its other end.
import { AT_FDCWD } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { openat } from "../linux/fs.ts";
import { setStatusFlags, write } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { Fd } from "./fd.ts";
import { isRegularFile } from "./file.ts";
import { attempt, perform } from "./perform.ts";

export const STDOUT = 1;
export const STDERR = 2;

/** How long a console may take for the last words of the agent. */
const PATIENCE_MS = 200;

/**
 * A descriptor for what `number` is, that gives EAGAIN instead of waiting. Where possible it is
 * opened anew: what is said of a descriptor holds for all its copies, and the terminal is the
 * shell's, too. Throws a KernelError if `number` is not open.
 */
export function openOutput(number: typeof STDOUT | typeof STDERR): Fd {
  const itself = new Fd(number);
  // A file has no other end, and opened anew it would be written from its start.
  if (isRegularFile(itself)) return itself;
  const flags = O.WRONLY | O.NONBLOCK | O.NOCTTY;
  const opened = attempt(openat(AT_FDCWD, `/proc/self/fd/${number}`, flags));
  if (opened >= 0) return new Fd(opened);
  // A socket cannot be opened.
  perform("stop waiting for stdout", setStatusFlags(number, O.NONBLOCK));
  return itself;
}

/** The last words: gone when this returns, unless nobody has taken them in a fifth of a second. */
export function writeLastWords(output: Fd, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const deadline = performance.now() + PATIENCE_MS;
  for (let at = 0; at < bytes.length && performance.now() < deadline;) {
    const result = attempt(write(output.number, bytes.subarray(at)));
    if (result > 0) at += result;
    else if (result === -errnoNumber("EAGAIN")) Bun.sleepSync(1);
    else return;
  }
}
