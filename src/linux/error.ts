import type { Call } from "./call.ts";
import { type ErrnoName, describeErrno, errnoName } from "./errno.ts";

/** A system call failed in the agent. Reads as `mount proc on /proc: EPERM: Operation not permitted`. */
export class KernelError extends Error {
  readonly label: string;
  readonly call: Call;
  readonly errno: number;

  constructor(label: string, call: Call, errno: number) {
    super(`${shown(label)}: ${describeErrno(errno)}`);
    this.name = "KernelError";
    this.label = label;
    this.call = call;
    this.errno = errno;
  }

  is(name: ErrnoName): boolean {
    return errnoName(this.errno) === name;
  }
}

/** Labels hold paths and names of the host, which may be megabytes and hold anything. */
const LONGEST_LABEL = 300;

/** One line of a bearable length. */
function shown(label: string): string {
  const line = label.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  return line.length > LONGEST_LABEL ? `${line.slice(0, LONGEST_LABEL)}…` : line;
}
