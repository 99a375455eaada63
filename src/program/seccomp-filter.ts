// The filter of system calls, which holds from the moment it is loaded, for the rest of the tape too.
// So it comes as late as it can: without no_new_privs loading takes CAP_SYS_ADMIN, and the
// capabilities go right after it; with no_new_privs it waits until nothing but execve is left.
import { SECCOMP_FILTER_FLAG } from "../linux/constants.ts";
import { type SeccompFilter, loadFilter } from "../linux/seccomp.ts";
import type { Process } from "../oci/process.ts";
import { raiseCapability } from "./capabilities.ts";
import type { Tape } from "../tape/tape.ts";

/** Of the container, for its first process and every exec. */
export type Filtered = { readonly seccomp?: SeccompFilter | undefined };

/** Whether the filter is in force before the program is looked for. */
export function isFilteredEarly({ noNewPrivileges }: Process, { seccomp }: Filtered): boolean {
  return noNewPrivileges !== true && seccomp !== undefined;
}

export function filterWithCapabilities(tape: Tape, process: Process, filtered: Filtered): void {
  const { user, capabilities = {} } = process;
  if (!isFilteredEarly(process, filtered)) return;
  if (user.uid !== 0) raiseCapability(tape, "CAP_SYS_ADMIN", capabilities);
  load(tape, filtered);
}

export function filterBeforeExecve(tape: Tape, process: Process, filtered: Filtered): void {
  if (process.noNewPrivileges === true) load(tape, filtered);
}

function load(tape: Tape, { seccomp }: Filtered): void {
  if (seccomp === undefined) return;
  const label = "filter system calls";
  if ((seccomp.flags & SECCOMP_FILTER_FLAG.NEW_LISTENER) === 0) {
    tape.do(label, loadFilter(seccomp));
    return;
  }
  // From here on every call may wait for whoever listens, but not the write that says so.
  const listener = tape.fd(label, loadFilter(seccomp));
  tape.hand("hand over the listener for system calls", listener);
}
