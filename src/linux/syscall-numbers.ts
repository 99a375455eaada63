// The number of every system call by its name, on each architecture: what profiles speak of. The agent
// itself makes those of table.ts only.
import { SYSCALL_TABLE } from "./syscall-table.ts";

export type SyscallArchitecture = keyof typeof SYSCALL_TABLE;

/** No name begins with a digit, nor with what stands before them. */
const LAST_DIGIT = 0x39;

const parsed = new Map<SyscallArchitecture, ReadonlyMap<string, number>>();

/** The numbers of `architecture` by name; those of x32 without their bit 30. */
export function syscallNumbers(architecture: SyscallArchitecture): ReadonlyMap<string, number> {
  const known = parsed.get(architecture);
  if (known !== undefined) return known;
  const numbers = new Map<string, number>();
  let number = 0;
  // Names stand in the order of their numbers; one is written where the count does not just go on.
  for (const word of SYSCALL_TABLE[architecture].trim().split(/\s+/)) {
    if (word.charCodeAt(0) <= LAST_DIGIT) number = Number(word);
    else numbers.set(word, number++);
  }
  parsed.set(architecture, numbers);
  return numbers;
}
