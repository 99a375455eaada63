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
  syscalls.forEach((rule, index) => checkRule(rule, `linux.seccomp.syscalls[${index}]`));
  if (listenerPath === undefined && syscalls.some(({ action }) => action === NOTIFY))
    throw new InvalidSpec("linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath");
}

/** A system call has six arguments (syscall(2)). */
const LAST_ARGUMENT = 5;

function checkRule({ names, action, args = [] }: SeccompSyscall, at: string): void {
  if (names.length === 0) throw new InvalidSpec(`${at}: syscall name is required`);
  if (action === NOTIFY && names.includes("write"))
    throw new InvalidSpec(`${at}: SCMP_ACT_NOTIFY cannot be used for write`);
  const bad = args.find(({ index }) => index > LAST_ARGUMENT);
  if (bad !== undefined) throw invalidField(`${at}.args.index`, String(bad.index));
}
