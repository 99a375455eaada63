// A system call as a value: its name and its arguments. Nothing happens until `kernel` performs it
// or a tape plays it in a child.
import type { StructValue } from "./struct.ts";
import type { SyscallName } from "./table.ts";

/** The slot of a tape that will hold a call's result, usually a descriptor. */
export class Reg {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/**
 * What a call can be given. A string is passed NUL-terminated, a list of strings as a
 * NULL-terminated vector of pointers, bytes and structs by their address, null as address 0.
 */
export type Arg =
  number | bigint | string | Uint8Array | StructValue | Reg | readonly string[] | null;

/** A descriptor: one the agent holds, or one that a tape will hold by then. */
export type FdArg = number | Reg;

export type Call = { readonly name: SyscallName; readonly args: readonly Arg[] };

export function call(name: SyscallName, ...args: readonly Arg[]): Call {
  return { name, args };
}
