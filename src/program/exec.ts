// One more process in a container that runs, from clone to execve.
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { setsid } from "../linux/process.ts";
import type { ContainerProcess } from "../oci/valid-spec.ts";
import { Tape } from "../tape/tape.ts";
import { type Birth, enterKeyring, enterSecurity, leaveAgent, spareNumber } from "./birth.ts";
import { enterCgroup } from "./cgroup-entry.ts";
import { closeOthers } from "./descriptors.ts";
import { checkEntrypoint, execute } from "./entrypoint.ts";
import { assumeIdentity } from "./identity.ts";
import { type Joined, joinMountNamespace, joinNamespaces } from "./namespaces.ts";
import { type Served, setFinalAffinity, setInitialAffinity } from "./scheduling.ts";
import { filterBeforeExecve, isFilteredEarly } from "./seccomp-filter.ts";
import { controlTerminal, openTerminal } from "./terminal.ts";
import { beBornInside, becomeRootInside } from "./user-namespace.ts";

export type ExecContext = Birth & {
  /** The namespaces of the container, pinned when it was created. */
  readonly joined: Joined;
  readonly served: Served;
  /** The file to execute; absent: what the first of the process's `args` names. */
  readonly file?: string | undefined;
};

export function execProgram(process: ContainerProcess, context: ExecContext): Tape {
  const { execCPUAffinity = {} } = process;
  const tape = new Tape();
  leaveAgent(tape, context, Object.values(context.joined), process);
  setInitialAffinity(tape, execCPUAffinity, context.cgroupFiles.length === 0);
  enterCgroup(tape, context.cgroupFiles);
  setFinalAffinity(tape, execCPUAffinity);
  enterSecurity(tape, context);
  joinNamespaces(tape, context.joined);
  if (context.ids !== undefined) {
    becomeRootInside(tape);
    enterKeyring(tape, context.containerId);
  }
  joinMountNamespace(tape, context.joined);
  // Who is in the container sees the process from here on, and may have the right to trace it.
  if (context.joined.pid !== undefined) beBornInside(tape);
  tape.do("start a session", setsid());
  if (process.terminal === true) {
    const master = spareNumber(context);
    const root = tape.fd("open /", openat(AT_FDCWD, "/", O.PATH | O.DIRECTORY));
    openTerminal(tape, root, process, master);
    controlTerminal(tape);
    closeOthers(tape, [context.control, master]);
    // In a user namespace the agent comes for it when it sets the limits.
    if (context.ids === undefined) tape.park("hand over the terminal");
  }
  assumeIdentity(tape, process, context, context.served);
  const { environment, file } = context;
  const isFiltered = isFilteredEarly(process, context);
  const entrypoint = { args: process.args, environment, file, isFiltered };
  checkEntrypoint(tape, entrypoint);
  execute(tape, entrypoint, () => filterBeforeExecve(tape, process, context));
  return tape;
}
