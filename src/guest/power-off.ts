// How a guest ends whose PID 1 the agent is. The kernel panics when PID 1 ends by itself.
import { attempt, perform } from "../kernel/perform.ts";
import { W } from "../linux/constants.ts";
import { powerOff, sync } from "../linux/machine.ts";
import { wait4 } from "../linux/process.ts";
import { launch, openControl } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";

const LOOK_AGAIN_MS = 2;

/**
 * Write out the disks, no longer than `budgetMs`, and switch the machine off. It works from an exit
 * handler, where no promise is waited for any more. `onLoss` hears, and may say, that the disks have not
 * taken all in time. Returns only if the kernel refuses. Throws unless the agent is PID 1: a machine that
 * has another one is not the agent's to switch off.
 */
export function powerOffGuest(budgetMs: number, onLoss: () => void): void {
  if (process.pid !== 1) throw new Error("only PID 1 may switch the machine off");
  try {
    if (!writeOutDisks(budgetMs)) onLoss();
  } catch {
    // There is no child to be had. Data that might be lost is worth the wait.
    attempt(sync());
  }
  perform("power off", powerOff());
}

/** In a child: a disk that has gone would hold up the agent for ever. false: not all is written. */
export function writeOutDisks(budgetMs: number): boolean {
  const tape = new Tape();
  tape.do("write out the disks", sync());
  using child = launch({ tape, control: openControl() });
  const deadline = performance.now() + budgetMs;
  const status = new Uint8Array(4);
  while (attempt(wait4(child.pid, status, W.NOHANG | W.ALL)) === 0) {
    if (performance.now() > deadline) return false;
    Bun.sleepSync(LOOK_AGAIN_MS);
  }
  return true;
}
