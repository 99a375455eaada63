// The one place that waits for child processes. Ours are registered in the same turn in which they
// are cloned, so no exit is missed; whoever else ends here is an orphan that the kernel gave to the
// agent (as PID 1 or child subreaper) and is discarded.
import { PR, W } from "../linux/constants.ts";
import { prctl, wait4 } from "../linux/process.ts";
import { attempt, perform } from "./perform.ts";

/** As Kata reports it: the exit code, or 128 + the signal that killed the process. */
export type ExitStatus = number;

const children = new Map<number, (status: ExitStatus) => void>();

/** Become the parent of orphaned descendants and reap whatever ends. */
export function startReaper(): void {
  // PID 1 is one by nature.
  if (process.pid !== 1) perform("become child subreaper", prctl(PR.SET_CHILD_SUBREAPER, 1));
  process.on("SIGCHLD", reap);
}

/** Children that are waited for. */
export function childCount(): number {
  return children.size;
}

/** How the child `pid` ends. Call it in the turn in which the child was cloned. */
export function exitOf(pid: number): Promise<ExitStatus> {
  const { promise, resolve } = Promise.withResolvers<ExitStatus>();
  children.set(pid, resolve);
  return promise;
}

/** Several exits can share one signal: collect until nobody is left. */
function reap(): void {
  const word = new Int32Array(1);
  const status = new Uint8Array(word.buffer);
  for (;;) {
    const pid = attempt(wait4(-1, status, W.NOHANG | W.ALL));
    if (pid <= 0) return;
    const resolve = children.get(pid);
    children.delete(pid);
    resolve?.(exitStatus(word[0] ?? 0));
  }
}

/** wait(2): bits 0 to 6 are the signal, bits 8 to 15 the exit code. */
function exitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
