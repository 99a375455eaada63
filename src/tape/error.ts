import type { Call } from "../linux/call.ts";
import { KernelError } from "../linux/error.ts";
import { listing } from "./listing.ts";
import type { Tape } from "./tape.ts";

/** A call of a tape failed in the child. Reads like the same failure in the agent. */
export class TapeError extends KernelError {
  readonly tape: Tape;
  readonly index: number;

  constructor(tape: Tape, index: number, call: Call, errno: number) {
    super(tape.ops[index]?.label ?? `op ${index}`, call, errno);
    this.name = "TapeError";
    this.tape = tape;
    this.index = index;
  }

  /** The tape, with an arrow at the op that failed. */
  listing(): string {
    return listing(this.tape, this.index);
  }
}
