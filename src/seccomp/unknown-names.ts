// What a profile says of system calls that there are none of: written wrongly, or newer than this agent.
import { SYSCALL_TABLE } from "../linux/syscall-table.ts";
import { type SyscallArchitecture, syscallNumbers } from "../linux/syscall-numbers.ts";
import type { Seccomp } from "../oci/seccomp.ts";

/** Most profiles are written for all of them. The table begins with the usual one. */
const ARCHITECTURES = Object.keys(SYSCALL_TABLE) as SyscallArchitecture[];

/** In the order of the profile, each once. */
export function unknownNames({ syscalls = [] }: Seccomp): readonly string[] {
  const names = new Set(syscalls.flatMap((rule) => rule.names));
  return [...names].filter((name) => !ARCHITECTURES.some((each) => syscallNumbers(each).has(name)));
}
