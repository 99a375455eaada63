// The last stretch of init and exec alike: from a root process in the right place to the one the
// spec asks for.
import { AT_FDCWD, PR } from "../linux/constants.ts";
import { chdir, openat, umask } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { prctl } from "../linux/process.ts";
import { resetSignal, unblockAllSignals } from "../linux/signal.ts";
import type { Process } from "../oci/process.ts";
import type { LabelledCall, Tape } from "../tape/tape.ts";
import type { Birth } from "./birth.ts";
import { dropBoundingSet, setCapabilities } from "./capabilities.ts";
import { becomeUser } from "./credentials.ts";
import { closeOnExec } from "./descriptors.ts";
import { rlimitCalls } from "./limits.ts";
import { type Served, schedulingCalls, setMachine } from "./scheduling.ts";
import { type Filtered, filterWithCapabilities } from "./seccomp-filter.ts";
import { ownStdio } from "./terminal.ts";
import type { Mapped } from "./user-namespace.ts";

const DEFAULT_UMASK = 0o022;

export function assumeIdentity(
  tape: Tape,
  process: Process,
  { ignoredSignals, ids, ...filtered }: Pick<Birth, "ignoredSignals"> & Filtered & Mapped,
  served: Served,
): void {
  const { user, cwd, capabilities = {} } = process;
  const enter = `change directory to ${cwd}`;
  // An open descriptor stands for "root did enter the directory": a tape has no other memory. It
  // comes before the limits, which may allow no more.
  const entered = tape.fd("open /", openat(AT_FDCWD, "/", O.PATH));
  // Only the guest's root may give more, and no root of a user namespace is that.
  if (ids !== undefined) tape.park("have the agent set limits and scheduling");
  else for (const { label, call } of privilegedCalls(0, process)) tape.do(label, call);
  setMachine(tape, served);
  dropBoundingSet(tape, capabilities);
  // Root may enter what the user may not, and the other way round on a network file system.
  tape.do(enter, chdir(cwd), {
    EACCES: (block) => block.do("leave it to the user", close(entered)),
  });
  if (user.uid !== 0) ownStdio(tape, user.uid);
  becomeUser(tape, user, ids !== undefined);
  if (process.noNewPrivileges === true) {
    tape.do("gain no new privileges", prctl(PR.SET_NO_NEW_PRIVS, 1));
  }
  tape.do("set the umask", umask(user.umask ?? DEFAULT_UMASK));
  for (const signal of ignoredSignals) {
    tape.do(`default action for signal ${signal}`, resetSignal(signal));
  }
  tape.do("unblock all signals", unblockAllSignals());
  // Nothing is opened from here on but what is marked so, and a filter may forbid the call.
  closeOnExec(tape);
  filterWithCapabilities(tape, process, filtered);
  setCapabilities(tape, capabilities);
  tape.do("close /", close(entered), { EBADF: (block) => block.do(enter, chdir(cwd)) });
}

/** What a process may be given more of than others; of process `pid`, 0: the caller. */
export function privilegedCalls(pid: number, process: Process): readonly LabelledCall[] {
  return [...rlimitCalls(pid, process.rlimits ?? []), ...schedulingCalls(pid, process)];
}
