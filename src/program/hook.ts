// A hook, from clone to execve: as root of the agent or, joining namespaces, of the container. A
// startContainer hook is none of these but an exec in the container.
import { chdir, umask } from "../linux/fs.ts";
import { execve, joinSessionKeyring, setsid } from "../linux/process.ts";
import { resetSignal, unblockAllSignals } from "../linux/signal.ts";
import { hookArgs } from "../oci/hooks.ts";
import type { Hook } from "../oci/spec.ts";
import { Tape, skip } from "../tape/tape.ts";
import { type Birth, leaveAgent } from "./birth.ts";
import { enterCgroup } from "./cgroup-entry.ts";
import { closeOnExec } from "./descriptors.ts";
import { type Joined, joinMountNamespace, joinNamespaces } from "./namespaces.ts";
import { beBornInside, becomeRootInside } from "./user-namespace.ts";

export type HookContext = Omit<Birth, "environment" | "seccomp" | "labels"> & {
  /** The namespaces of a container that is being made; none: the agent's own are kept. */
  readonly joined: Joined;
  /** Working directory. */
  readonly cwd: string;
};

const ROOT = { uid: 0, gid: 0 } as const;

/** runc's hooks have the umask of who calls runc: mostly this one. */
const UMASK = 0o022;

/** The environment is the hook's, with nothing added. */
export function hookProgram(hook: Hook, context: HookContext): Tape {
  const { joined, cwd, ignoredSignals } = context;
  const tape = new Tape();
  leaveAgent(tape, context, Object.values(joined), { user: ROOT });
  enterCgroup(tape, context.cgroupFiles);
  tape.do("join a new session keyring", joinSessionKeyring(null), { ENOSYS: skip });
  joinNamespaces(tape, joined);
  // Whoever enters a user namespace is nobody there until it says who it is.
  if (joined.user !== undefined) becomeRootInside(tape);
  joinMountNamespace(tape, joined);
  if (joined.pid !== undefined) beBornInside(tape);
  // A group of its own, by which it is ended with all that it has started.
  tape.do("start a session", setsid());
  tape.do(`change directory to ${cwd}`, chdir(cwd));
  tape.do("set the umask", umask(UMASK));
  for (const signal of ignoredSignals) {
    tape.do(`default action for signal ${signal}`, resetSignal(signal));
  }
  tape.do("unblock all signals", unblockAllSignals());
  closeOnExec(tape);
  tape.do(`execute ${hook.path}`, execve(hook.path, hookArgs(hook), hook.env ?? []));
  return tape;
}
