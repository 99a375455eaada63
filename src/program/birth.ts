// The first stretch of init and exec alike: nothing of the agent is left within reach.
import { PR } from "../linux/constants.ts";
import { umask } from "../linux/fs.ts";
import { joinSessionKeyring, prctl } from "../linux/process.ts";
import { skip, type Tape } from "../tape/tape.ts";
import { enterCgroup } from "./cgroup-entry.ts";
import { type Stdio, closeOthers, placeStdio } from "./descriptors.ts";
import { setOomScore } from "./limits.ts";
import type { Filtered } from "./seccomp-filter.ts";

/** What a process of a container is given by the agent. Descriptors are the agent's numbers. */
export type Birth = Filtered & {
  readonly containerId: string;
  /** Errors and park points are reported here. */
  readonly control: number;
  /** null: the process has a terminal, which it opens itself. */
  readonly stdio: Stdio | null;
  /** `tasks` of the cgroup in each v1 hierarchy; empty where clone(2) has placed the child already. */
  readonly cgroupFiles: readonly string[];
  /** Signals the agent ignores: execve(2) would hand that on. */
  readonly ignoredSignals: readonly number[];
  /** Complete: what execve(2) is given. */
  readonly environment: readonly string[];
};

/** The number a terminal's master has in the child, where the agent fetches it. */
export function masterNumber({ control }: Pick<Birth, "control">): number {
  return control === 255 ? 254 : 255;
}

export function leaveAgent(
  tape: Tape,
  birth: Omit<Birth, "environment">,
  namespaces: readonly number[],
  oomScoreAdj: number | undefined,
): void {
  // A container that shares a namespace with this process could trace it until execve.
  tape.do("allow no tracing", prctl(PR.SET_DUMPABLE, 0));
  tape.do("clear the umask", umask(0));
  if (birth.stdio !== null) placeStdio(tape, birth.stdio);
  closeOthers(tape, [birth.control, ...namespaces]);
  setOomScore(tape, oomScoreAdj);
  enterCgroup(tape, birth.cgroupFiles);
  const keyring = joinSessionKeyring(`_ses.${birth.containerId}`);
  tape.do("join a new session keyring", keyring, { ENOSYS: skip });
}
