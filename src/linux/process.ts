// Processes: clone(2), execve(2), wait(2), pidfd_*(2), namespaces(7), prctl(2), prlimit(2), setsid(2).
import { type Call, type FdArg, call } from "./call.ts";
import { KEYCTL, KEY_SPEC, PR, PR_CAP_AMBIENT } from "./constants.ts";
import { type StructValue, structOf } from "./struct.ts";

/** execve(2); `argv` and `envp` without their terminating NULL. */
export function execve(path: string, argv: readonly string[], envp: readonly string[]): Call {
  return call("execve", path, argv, envp);
}

export function clone3(args: StructValue): Call {
  return call("clone3", args, 88);
}

export function unshare(flags: number): Call {
  return call("unshare", flags);
}

/** Enter the namespace that `fd` has open; `type` as CLONE_NEW*, which the kernel verifies. */
export function setns(fd: FdArg, type: number): Call {
  return call("setns", fd, type);
}

export function setsid(): Call {
  return call("setsid");
}

/** wait4(2); `status` takes 4 bytes. The result is 0 if WNOHANG found nobody. */
export function wait4(pid: number, status: Uint8Array, flags: number): Call {
  return call("wait4", pid, status, flags, null);
}

export function pidfd_send_signal(pidfd: FdArg, signal: number): Call {
  return call("pidfd_send_signal", pidfd, signal, null, 0);
}

/** A descriptor that stands for the process, close-on-exec. */
export function pidfd_open(pid: number): Call {
  return call("pidfd_open", pid, 0);
}

export function kill(pid: number, signal: number): Call {
  return call("kill", pid, signal);
}

/** A copy of descriptor `fd` of the process that `pidfd` names. Needs CAP_SYS_PTRACE over it. */
export function pidfd_getfd(pidfd: FdArg, fd: number): Call {
  return call("pidfd_getfd", pidfd, fd, 0);
}

export function prctl(option: number, argument = 0): Call {
  return call("prctl", option, argument, 0, 0, 0);
}

/** Remove `capability` from the bounding set: execve(2) can never give it again. */
export function dropFromBoundingSet(capability: number): Call {
  return prctl(PR.CAPBSET_DROP, capability);
}

/** `operation` as PR_CAP_AMBIENT_*; the capability is 0 for CLEAR_ALL. */
export function ambientCapability(operation: keyof typeof PR_CAP_AMBIENT, capability = 0): Call {
  return call("prctl", PR.CAP_AMBIENT, PR_CAP_AMBIENT[operation], capability, 0, 0);
}

/** prlimit(2); pid 0 is the caller. */
export function setrlimit(resource: number, soft: bigint, hard: bigint, pid = 0): Call {
  return call(
    "prlimit64",
    pid,
    resource,
    structOf("rlimit64", { rlim_cur: soft, rlim_max: hard }),
    null,
  );
}

/**
 * keyctl(2): leave the agent's session keyring for the one of that name, which is made if need be; null:
 * for a new one.
 */
export function joinSessionKeyring(name: string | null): Call {
  return call("keyctl", KEYCTL.JOIN_SESSION_KEYRING, name);
}

/** keyctl(2): who may do what with the session keyring; bits as in keyctl_setperm(3). */
export function allowInSessionKeyring(permissions: number): Call {
  return call("keyctl", KEYCTL.SETPERM, KEY_SPEC.SESSION_KEYRING, permissions);
}
