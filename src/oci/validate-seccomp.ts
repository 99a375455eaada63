// Rules for a system call filter.
import { InvalidSpec, invalidField } from "./invalid-spec.ts";
import type { SeccompSyscall } from "./seccomp.ts";
import type { ContainerSpec } from "./valid-spec.ts";

const NOTIFY = "SCMP_ACT_NOTIFY";

export function validSeccomp({ linux: { seccomp } }: ContainerSpec): void {
  if (seccomp === undefined) return;
  const { defaultAction, listenerPath, syscalls = [] } = seccomp;
  // The process could not even report that it is ready.
  if (defaultAction === NOTIFY) throw invalidField("linux.seccomp.defaultAction", NOTIFY);
  checkErrno(seccomp.defaultErrnoRet, "linux.seccomp.defaultErrnoRet");
  syscalls.forEach((rule, index) => checkRule(rule, `linux.seccomp.syscalls[${index}]`));
  if (listenerPath === undefined && syscalls.some(({ action }) => action === NOTIFY))
    throw new InvalidSpec("linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath");
}

/** A system call has six arguments (syscall(2)). */
const LAST_ARGUMENT = 5;

/** The kernel cuts an errno off there, and takes no more than 16 bits for a tracer (seccomp(2)). */
const LARGEST_ERRNO = 4095;

function checkErrno(errno: number | undefined, at: string): void {
  if (errno !== undefined && errno > LARGEST_ERRNO) throw invalidField(at, String(errno));
}

function checkRule({ names, action, errnoRet, args = [] }: SeccompSyscall, at: string): void {
  if (names.length === 0) throw new InvalidSpec(`${at}: syscall name is required`);
  if (action === NOTIFY && names.includes("write"))
    throw new InvalidSpec(`${at}: SCMP_ACT_NOTIFY cannot be used for write`);
  checkErrno(errnoRet, `${at}.errnoRet`);
  const bad = args.find(({ index }) => index > LAST_ARGUMENT);
  if (bad !== undefined) throw invalidField(`${at}.args.index`, String(bad.index));
}
