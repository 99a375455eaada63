// Play a tape on the agent's own thread: for calls that cannot block after all, where a child would cost
// more than they do.
import { attempt } from "../kernel/perform.ts";
import { type Call, Reg } from "../linux/call.ts";
import { errnoNumber } from "../linux/errno.ts";
import { close } from "../linux/io.ts";
import { TapeError } from "../tape/error.ts";
import type { Op, Tape } from "../tape/tape.ts";

/**
 * All that it opens is closed in the end. `change` sees each call before it is made. Throws a TapeError, as
 * the child would have reported it; a TypeError for what only a child can do: park, hand over, fork, load.
 */
export function playHere(tape: Tape, change: (call: Call) => Call = (call) => call): void {
  const registers: number[] = [];
  const opened = new Set<number>();
  try {
    for (let index = 0; index < tape.ops.length;) {
      const op = tape.ops[index];
      if (op?.call == null || op.kind !== "call")
        throw new TypeError(`the agent does not ${op?.kind} by itself`);
      const call = filled(change(op.call), registers);
      const result = attempt(call);
      const next = nextOf(op, index, result);
      if (next === undefined) throw new TapeError(tape, index, op.call, -result);
      // By the end the number may be another's: Bun opens files on threads of its own.
      if (call.name === "close" && result === 0) opened.delete(Number(call.args[0]));
      if (op.result !== null && result >= 0) {
        registers[op.result.index] = result;
        opened.add(result);
      }
      index = next;
    }
  } finally {
    for (const fd of opened) attempt(close(fd));
  }
}

/** undefined: an error that the op does not tolerate. */
function nextOf(op: Op, index: number, result: number): number | undefined {
  if (result >= 0) return op.next?.index ?? index + 1;
  const tolerated = op.tolerated.find(([name]) => errnoNumber(name) === -result);
  return tolerated && (tolerated[1]?.index ?? index + 1);
}

/** A register that no op has filled is no descriptor. */
function filled(call: Call, registers: readonly number[]): Call {
  const args = call.args.map((arg) => (arg instanceof Reg ? (registers[arg.index] ?? -1) : arg));
  return { ...call, args };
}
