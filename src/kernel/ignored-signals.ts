// Signals that the agent ignores, which execve(2) would hand on to its children.
import { signalMask, signalsIn } from "../linux/proc-status.ts";
import { readText } from "./file.ts";

let found: readonly number[] | undefined;

/** Their numbers. They do not change while the agent lives. */
export function ignoredSignals(): readonly number[] {
  found ??= signalsIn(signalMask(readText("/proc/self/status"), "SigIgn"));
  return found;
}
