// Make a system call now, on the agent's own thread. Only calls that cannot block the event loop
// belong here; the others are tapes played in a child.
import { type Arg, type Call, Reg } from "../linux/call.ts";
import { KernelError } from "../linux/error.ts";
import type { Kind } from "../linux/kind.ts";
import { refuseNul } from "../linux/nul.ts";
import { openFlagsFor } from "../linux/open-flags.ts";
import { encodeStruct } from "../linux/struct.ts";
import { argumentKinds, syscallNumber } from "../linux/table.ts";
import { addressOf, arch, performRaw } from "./native.ts";

/** The result of `call`. Throws a KernelError that begins with `label`. */
export function perform(label: string, call: Call): number {
  const result = attempt(call);
  if (result < 0) throw new KernelError(label, call, -result);
  return result;
}

/** The result of `call`, or its errno negated. */
export function attempt(call: Call): number {
  // Buffers made for the arguments must live until the call is over.
  const keep: NodeJS.TypedArray[] = [];
  const kinds = argumentKinds(call.name);
  const word = (i: number) => toWord(call.args[i] ?? 0, kinds[i], keep);
  const number = syscallNumber(call.name, arch);
  const result = performRaw(number, word(0), word(1), word(2), word(3), word(4), word(5));
  keep.length = 0;
  return Number(result);
}

function toWord(arg: Arg, kind: Kind | undefined, keep: NodeJS.TypedArray[]): number | bigint {
  if (arg === null) return 0;
  if (typeof arg === "number") {
    return kind?.as === "open flags" ? openFlagsFor(arch, arg) : arg;
  }
  if (typeof arg === "bigint") return arg;
  if (arg instanceof Uint8Array) return addressOf(arg);
  if (arg instanceof Reg) throw new TypeError("a register exists in a tape only");
  const bytes = typeof arg === "string" ? cstring(arg) : toBytes(arg, keep);
  keep.push(bytes);
  return addressOf(bytes);
}

function toBytes(
  arg: Exclude<Arg, null | number | bigint | string | Uint8Array | Reg>,
  keep: NodeJS.TypedArray[],
) {
  if ("struct" in arg) return encodeStruct(arg, arch, addressOf);
  const items = arg.map(cstring);
  keep.push(...items);
  return new BigUint64Array([...items.map((item) => BigInt(addressOf(item))), 0n]);
}

function cstring(text: string): Buffer {
  refuseNul(text);
  return Buffer.from(`${text}\0`);
}
