import type { Call } from "./call.ts";
import { type ErrnoName, describeErrno, errnoName } from "./errno.ts";

/** A system call failed in the agent. Reads as `mount proc on /proc: EPERM: Operation not permitted`. */
export class KernelError extends Error {
  readonly label: string;
  readonly call: Call;
  readonly errno: number;

  constructor(label: string, call: Call, errno: number) {
    super(`${label}: ${describeErrno(errno)}`);
    this.name = "KernelError";
    this.label = label;
    this.call = call;
    this.errno = errno;
  }

  is(name: ErrnoName): boolean {
    return errnoName(this.errno) === name;
  }
}
