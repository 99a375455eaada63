// A tape as the bytes that player.c reads. Pure: the same tape gives the same bytes for the same
// address.
import type { Arch } from "../linux/arch.ts";
import { type Arg, Reg } from "../linux/call.ts";
import { errnoNumber } from "../linux/errno.ts";
import type { Kind } from "../linux/kind.ts";
import { refuseNul } from "../linux/nul.ts";
import { openFlagsFor } from "../linux/open-flags.ts";
import { encodeStruct } from "../linux/struct.ts";
import { argumentKinds, syscallNumber } from "../linux/table.ts";
import { type Mark, type Op, type Source, type Tape, TapeTooLong } from "./tape.ts";

const WORD = 8;
const ARGS = 6;
const TOLERATED = 6;
const OP_WORDS = 4 + ARGS + 2 * TOLERATED;
const MACHINE_WORDS = 10;
/** What stands in the place of a call's number. */
const SPECIAL = { park: -1, hand: -1, fork: -2, load: -3 } as const;

export type Target = {
  readonly arch: Arch;
  /** Where the bytes will be: the memory to write and its address. */
  readonly memory: Uint8Array;
  readonly address: number;
  /** The descriptor, in the child, that errors and park points are reported on. */
  readonly control: number;
  /** The other end of that line, which the child closes first. */
  readonly agent: number;
};

/**
 * Write `tape` to the start of the memory: a `struct machine`, registers, ops, then what the
 * arguments point to. Gives the number of bytes used. Throws TapeTooLong when it does not fit.
 */
export function encode(tape: Tape, target: Target): number {
  const registersAt = MACHINE_WORDS * WORD;
  const opsAt = registersAt + tape.registers * WORD;
  const dataAt = opsAt + tape.ops.length * OP_WORDS * WORD;
  if (dataAt > target.memory.length)
    throw new TapeTooLong("the spec asks for more than the memory of a tape holds");
  target.memory.fill(0, 0, dataAt);
  const writer = new Writer(target, dataAt);
  const number = (name: Parameters<typeof syscallNumber>[0]) => syscallNumber(name, target.arch);
  const machine = [
    number("write"),
    number("read"),
    number("close"),
    number("exit_group"),
    number("clone3"),
    target.control,
    target.agent,
    tape.ops.length,
    target.address + registersAt,
    target.address + opsAt,
  ];
  for (const [i, word] of machine.entries()) writer.word(i * WORD, word);
  // A register that no op has filled is no descriptor: 0 would be somebody's stdin.
  for (let i = 0; i < tape.registers; i++) writer.word(registersAt + i * WORD, -1);
  let at = opsAt;
  let index = 0;
  for (const op of tape.ops) {
    encodeOp(op, index++, at, writer);
    at += OP_WORDS * WORD;
  }
  return writer.end;
}

function encodeOp(op: Op, index: number, at: number, writer: Writer): void {
  writer.word(at, numberOf(op, writer.arch));
  writer.word(at + WORD, op.result === null ? -1 : op.result.index);
  writer.word(at + 3 * WORD, placeOf(op, index, op.next));
  if (op.source !== undefined) writer.word(at + 4 * WORD, writer.source(op.source));
  if (op.call !== null) {
    const kinds = argumentKinds(op.call.name);
    let registers = 0;
    let i = 0;
    for (const arg of op.call.args) {
      if (arg instanceof Reg) registers |= 1 << i;
      writer.word(at + (4 + i) * WORD, writer.argument(arg, kinds[i]));
      i++;
    }
    writer.word(at + 2 * WORD, registers);
  }
  if (op.tolerated.length > TOLERATED) throw new RangeError(`tape "${op.label}": too many errnos`);
  let tolerated = at + (4 + ARGS) * WORD;
  for (const [name, mark] of op.tolerated) {
    writer.word(tolerated, errnoNumber(name));
    writer.word(tolerated + WORD, placeOf(op, index, mark));
    tolerated += 2 * WORD;
  }
}

function numberOf({ kind, call }: Op, arch: Arch): number {
  if (kind !== "call") return SPECIAL[kind];
  if (call === null) throw new TypeError("a call op without a call");
  return syscallNumber(call.name, arch);
}

/** Jumps go forward only: a tape ends after at most as many calls as it has ops. */
function placeOf(op: Op, index: number, mark: Mark | null): number {
  if (mark === null) return index + 1;
  if (mark.index === undefined || mark.index <= index) {
    throw new RangeError(`tape "${op.label}": a jump must go forward`);
  }
  return mark.index;
}

/** The memory being written, and the strings and structures that arguments point to. */
class Writer {
  readonly arch: Arch;
  end: number;
  readonly #target: Target;
  /** Halves of the 64-bit words, the low one first, as both architectures have them. */
  readonly #halves: Int32Array;
  readonly #strings = new Map<string, number>();
  readonly #buffers = new Map<Uint8Array, number>();
  readonly #text = new TextEncoder();

  constructor(target: Target, dataAt: number) {
    this.#target = target;
    this.arch = target.arch;
    this.end = dataAt;
    const { buffer, byteOffset, byteLength } = target.memory;
    this.#halves = new Int32Array(buffer, byteOffset, byteLength >> 2);
  }

  /** A 64-bit word, where 0 was. Halves of a double are far cheaper than a bigint each. */
  word(at: number, value: number | bigint): void {
    if (value === 0) return;
    const half = at >> 2;
    if (typeof value === "bigint") {
      this.#halves[half] = Number(BigInt.asIntN(32, value));
      this.#halves[half + 1] = Number(BigInt.asIntN(32, value >> 32n));
      return;
    }
    this.#halves[half] = value;
    if (value < 0 || value > 0x7fff_ffff)
      this.#halves[half + 1] = Math.floor(value / 0x1_0000_0000);
  }

  argument(arg: Arg, kind: Kind | undefined): number | bigint {
    if (arg === null) return 0;
    if (typeof arg === "bigint") return arg;
    if (typeof arg === "number") {
      return kind?.as === "open flags" ? openFlagsFor(this.arch, arg) : arg;
    }
    if (typeof arg === "string") return this.#string(arg);
    if (arg instanceof Reg) return arg.index;
    if (arg instanceof Uint8Array) return this.#buffer(arg);
    if ("struct" in arg) {
      return this.#bytes(encodeStruct(arg, this.arch, (bytes) => this.#buffer(bytes)));
    }
    return this.#vector(arg);
  }

  /** The address of what a `load` takes. */
  source({ buffer, at }: Source): number {
    if (at + 2 > buffer.length) throw new RangeError("a load beyond its buffer");
    return this.#buffer(buffer) + at;
  }

  #string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    refuseNul(text);
    const at = this.#reserve(text.length * 3 + 1);
    const { written } = this.#text.encodeInto(text, this.#target.memory.subarray(at));
    this.#target.memory[at + written] = 0;
    this.end = at + written + 1;
    const address = this.#target.address + at;
    this.#strings.set(text, address);
    return address;
  }

  /** One place for one buffer: what a call of the tape reads into it, a later one can write. */
  #buffer(bytes: Uint8Array): number {
    const known = this.#buffers.get(bytes);
    if (known !== undefined) return known;
    const address = this.#bytes(bytes);
    this.#buffers.set(bytes, address);
    return address;
  }

  #bytes(bytes: Uint8Array): number {
    const at = this.#reserve(bytes.length);
    this.#target.memory.set(bytes, at);
    return this.#target.address + at;
  }

  #vector(items: readonly string[]): number {
    const pointers = items.map((item) => this.#string(item));
    const at = this.#reserve((pointers.length + 1) * WORD);
    this.#target.memory.fill(0, at, this.end);
    for (const [i, pointer] of pointers.entries()) this.word(at + i * WORD, pointer);
    return this.#target.address + at;
  }

  #reserve(bytes: number): number {
    const at = Math.ceil(this.end / WORD) * WORD;
    if (at + bytes > this.#target.memory.length)
      throw new TapeTooLong("the spec asks for more than the memory of a tape holds");
    // The gap that aligns it: the memory may hold an earlier tape.
    this.#target.memory.fill(0, this.end, at);
    this.end = at + bytes;
    return at;
  }
}
