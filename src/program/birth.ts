// The first stretch of init and exec alike: nothing of the agent is left within reach.
import { PR } from "../linux/constants.ts";
import { umask } from "../linux/fs.ts";
import { allowInSessionKeyring, joinSessionKeyring, prctl } from "../linux/process.ts";
import { Mark, type Tape } from "../tape/tape.ts";
import { type Stdio, closeOthers, placeStdio } from "./descriptors.ts";
import { setOomScore } from "./limits.ts";
import type { Process } from "../oci/process.ts";
import type { Filtered } from "./seccomp-filter.ts";
import { type Labels, labelKeys, labelProgram } from "./security-labels.ts";
import { type Mapped, giveStdio, leaveGroups } from "./user-namespace.ts";

/** What a process of a container is given by the agent. Descriptors are the agent's numbers. */
export type Birth = Filtered &
  Mapped & {
    readonly containerId: string;
    /** Errors and park points are reported here. */
    readonly control: number;
    /** null: the process has a terminal, which it opens itself. */
    readonly stdio: Stdio | null;
    /** `tasks` of the cgroup in each v1 hierarchy; empty where clone(2) has placed the child already. */
    readonly cgroupFiles: readonly string[];
    /** Signals the agent ignores: execve(2) would hand that on. */
    readonly ignoredSignals: readonly number[];
    readonly labels?: Labels | undefined;
    /** Complete: what execve(2) is given. */
    readonly environment: readonly string[];
  };

/** One that no other descriptor of the child has: its terminal's master, for the agent to fetch. */
export function spareNumber({ control }: Pick<Birth, "control">): number {
  return control === 255 ? 254 : 255;
}

/** `kept`: descriptors of the agent that the tape uses. */
export function leaveAgent(
  tape: Tape,
  birth: Omit<Birth, "environment">,
  kept: readonly number[],
  { oomScoreAdj, user }: Pick<Process, "oomScoreAdj" | "user">,
): void {
  const { ids, stdio } = birth;
  // A container that shares a namespace with this process could trace it until execve.
  tape.do("allow no tracing", prctl(PR.SET_DUMPABLE, 0));
  tape.do("clear the umask", umask(0));
  if (stdio !== null) placeStdio(tape, stdio);
  if (stdio !== null && ids !== undefined) giveStdio(tape, ids, user);
  closeOthers(tape, [birth.control, ...kept]);
  setOomScore(tape, oomScoreAdj);
  if (ids !== undefined) leaveGroups(tape);
}

/** What the program is to the guest's kernel. After leaveAgent(), while the agent's /proc is in sight. */
export function enterSecurity(tape: Tape, { containerId, ids, labels }: Birth): void {
  labelKeys(tape, labels);
  if (ids === undefined) enterKeyring(tape, containerId);
  labelProgram(tape, labels);
}

/** keyctl_setperm(3): all for who possesses it; for its user to view, read, link, as when it is made, */
const KEYRING_AS_MADE = 0x3f13_0000;
/** and to find by its name. */
const KEY_USR_SEARCH = 0x0008_0000;

/**
 * One for all processes of the container. An exec finds it because the first has let it be found. It
 * belongs to who makes it: in a user namespace, to the root of that.
 */
export function enterKeyring(tape: Tape, containerId: string): void {
  const none = new Mark();
  const join = joinSessionKeyring(`_ses.${containerId}`);
  tape.do("join the container's session keyring", join, { ENOSYS: none });
  const allow = allowInSessionKeyring(KEYRING_AS_MADE | KEY_USR_SEARCH);
  tape.do("let the container's session keyring be found", allow);
  tape.place(none);
}
