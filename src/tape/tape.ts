// A straight-line program of system calls for a child process. Read README.md first.
import { type Call, Reg } from "../linux/call.ts";
import { CLONE } from "../linux/constants.ts";
import type { ErrnoName } from "../linux/errno.ts";
import { clone3 } from "../linux/process.ts";
import { structOf } from "../linux/struct.ts";

/** Go on as if the call had succeeded. */
export const skip = Symbol("skip");

/** A place further down the tape. `Tape.place` fixes it, once. */
export class Mark {
  index: number | undefined;
}

/** Ops to run instead, when a call fails with a named errno. `result` is the call's register. */
export type Block<Result> = (tape: Tape, result: Result) => void;

export type OnError<Result = null> = {
  readonly [name in ErrnoName]?: typeof skip | Mark | Block<Result>;
};

/** Most calls have no error that is foreseen. */
const NONE = {};

/** `park`: wait for the agent. `hand`: the same, with a descriptor for it. `fork`: go on in a new process. `load`: take a number from memory. */
export type OpKind = "call" | "park" | "hand" | "fork" | "load";

/** A 16-bit word in a buffer that an earlier call has filled. */
export type Source = { readonly buffer: Uint8Array; readonly at: number };

export type Op = {
  readonly kind: OpKind;
  readonly label: string;
  /** null for those that make none. */
  readonly call: Call | null;
  readonly source?: Source;
  readonly result: Reg | null;
  /** Where the tape goes on after success, and after each tolerated errno. null: the next op. */
  readonly next: Mark | null;
  readonly tolerated: readonly (readonly [ErrnoName, Mark | null])[];
};

/** No spec needs as many, and a tape must fit the memory it is played from. */
export const LONGEST_TAPE = 65_536;

/** A spec asks for more than can be played. */
export class TapeTooLong extends RangeError {
  override name = "TapeTooLong";
}

export type LabelledCall = { readonly label: string; readonly call: Call };

export class Tape {
  readonly ops: Op[] = [];
  #registers = 0;

  /** How many registers the ops use. */
  get registers(): number {
    return this.#registers;
  }

  /**
   * Append a call. Any errno that `onError` does not name ends the child, and the agent learns the
   * label, the errno and the op. After success the tape goes on at `next`.
   */
  do(label: string, call: Call, onError: OnError = NONE, next: Mark | null = null): void {
    this.#append(label, call, null, onError, next);
  }

  /** Append a call whose result, usually a descriptor, later calls use. */
  fd(label: string, call: Call, onError: OnError<Reg> = NONE, next: Mark | null = null): Reg {
    const result = new Reg(this.#registers++);
    this.#append(label, call, result, onError, next);
    return result;
  }

  /** Append a call that puts its result in a register that an earlier `fd` made. */
  refill(result: Reg, label: string, call: Call, onError: OnError<Reg> = NONE): void {
    this.#append(label, call, result, onError, null);
  }

  /** Tell the agent that the tape got here, and wait until it says go on. */
  park(label: string): void {
    this.#push({ kind: "park", label, call: null, result: null, next: null, tolerated: [] });
  }

  /** Wait until the agent has a copy of the descriptor in `fd`. */
  hand(label: string, fd: Reg): void {
    this.#push({ kind: "hand", label, call: null, result: fd, next: null, tolerated: [] });
  }

  /**
   * Go on in a new child of the agent, which has all that this process has, and end this one.
   * `namespaces`: CLONE_NEW* bits, for those that only a new process can be in.
   */
  fork(label: string, namespaces: number): void {
    const call = clone3(structOf("clone_args", { flags: CLONE.PARENT + namespaces }));
    this.#push({ kind: "fork", label, call, result: null, next: null, tolerated: [] });
  }

  /** The 16-bit word at byte `at` of a buffer that an earlier call has filled, for later calls. */
  load(label: string, buffer: Uint8Array, at: number): Reg {
    const result = new Reg(this.#registers++);
    const source = { buffer, at };
    this.#push({ kind: "load", label, call: null, source, result, next: null, tolerated: [] });
    return result;
  }

  /** The calls in turn until one succeeds. Only the errno of the last is an error. */
  firstOf(
    calls: readonly (readonly [label: string, call: Call])[],
    tolerated: readonly ErrnoName[],
  ): void {
    const end = new Mark();
    for (const [index, [label, call]] of calls.entries()) {
      const isLast = index === calls.length - 1;
      const next = new Mark();
      this.do(
        label,
        call,
        isLast ? {} : Object.fromEntries(tolerated.map((name) => [name, next])),
        end,
      );
      this.place(next);
    }
    this.place(end);
  }

  /** Make `mark` stand for the next op. */
  place(mark: Mark): void {
    mark.index = this.ops.length;
  }

  #append<Result extends Reg | null>(
    label: string,
    call: Call,
    result: Result,
    onError: OnError<Result>,
    next: Mark | null,
  ): void {
    if (onError === NONE) {
      this.#push({ kind: "call", label, call, result, next, tolerated: [] });
      return;
    }
    const targets = Object.entries(onError);
    let block: Block<Result> | undefined;
    for (const [, target] of targets) {
      if (typeof target !== "function" || target === block) continue;
      if (block !== undefined) throw new Error(`tape "${label}": one block an op`);
      block = target;
    }
    const start = new Mark();
    const end = block === undefined ? next : (next ?? new Mark());
    const tolerated = targets.map(([name, target]) => {
      const to = target === skip ? end : typeof target === "function" ? start : target;
      return [name as ErrnoName, to] as const;
    });
    this.#push({ kind: "call", label, call, result, next: end, tolerated });
    if (block === undefined) return;
    this.place(start);
    block(this, result);
    if (end !== null && end !== next) this.place(end);
  }

  #push(op: Op): void {
    if (this.ops.length === LONGEST_TAPE) {
      throw new TapeTooLong(`the spec asks for more than ${LONGEST_TAPE} system calls`);
    }
    this.ops.push(op);
  }
}
