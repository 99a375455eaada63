// What can be true at each op of a tape, whichever way it gets there.
import { Reg } from "../../../src/linux/call.ts";
import type { Mark, Op, Tape } from "../../../src/tape/tape.ts";

/** From an op to the next; `succeeded`: its call did, so that its register is filled. */
export type Way = { readonly to: number; readonly succeeded: boolean };

/** An execve that succeeds goes nowhere: the tape is over. */
export function waysFrom(op: Op, index: number): readonly Way[] {
  const place = (mark: Mark | null) => (mark === null ? index + 1 : (mark.index ?? -1));
  const refused = op.tolerated.map(([, mark]) => ({ to: place(mark), succeeded: false }));
  if (op.call?.name === "execve") return refused;
  return [{ to: place(op.next), succeeded: true }, ...refused];
}

export type Analysis<State> = {
  readonly start: State;
  readonly after: (state: State, op: Op, succeeded: boolean) => State;
  readonly merge: (one: State, other: State) => State;
};

/**
 * The state before each op, and one more: that at the end of the tape. undefined where no way leads.
 * All ways go forward, so that one pass sees them all.
 */
export function flow<State>(tape: Tape, { start, after, merge }: Analysis<State>) {
  const states: (State | undefined)[] = Array.from({ length: tape.ops.length + 1 });
  states[0] = start;
  for (const [index, op] of tape.ops.entries()) {
    const before = states[index];
    if (before === undefined) continue;
    for (const { to, succeeded } of waysFrom(op, index)) {
      const state = after(before, op, succeeded);
      const known = states[to];
      states[to] = known === undefined ? state : merge(known, state);
    }
  }
  return states;
}

type Registers = ReadonlySet<Reg>;

const NONE: Registers = new Set();

/** Registers that hold a result on every way. */
export const filled: Analysis<Registers> = {
  start: NONE,
  after: (state, { result }, succeeded) =>
    succeeded && result ? new Set([...state, result]) : state,
  merge: (one, other) => one.intersection(other),
};

/** Registers whose descriptor is open on some way. */
export const open: Analysis<Registers> = {
  start: NONE,
  after: (state, op, succeeded) => {
    if (!succeeded) return state;
    // What is loaded from memory is a number, not a descriptor.
    const opened = op.result !== null && op.kind === "call" ? [op.result] : [];
    return new Set([...state, ...opened]).difference(closedBy(op));
  },
  merge: (one, other) => one.union(other),
};

type Closed = { readonly closed: Registers; readonly reused: Registers };

/** Registers whose descriptor has been closed on some way, and whose number may be another's since. */
export const closed: Analysis<Closed> = {
  start: { closed: NONE, reused: NONE },
  after: (state, op, succeeded) => {
    if (!succeeded) return state;
    if (op.result === null) return { ...state, closed: state.closed.union(closedBy(op)) };
    const others = state.closed.difference(new Set([op.result]));
    return { closed: others, reused: others };
  },
  merge: (one, other) => ({
    closed: one.closed.union(other.closed),
    reused: one.reused.union(other.reused),
  }),
};

export function registersIn({ call }: Op): readonly Reg[] {
  return call?.args.filter((arg) => arg instanceof Reg) ?? [];
}

export function closedBy(op: Op): Registers {
  return op.call?.name === "close" ? new Set(registersIn(op)) : NONE;
}
