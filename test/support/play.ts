// The bytes of a tape read back as player.c reads them, and played without a kernel.
import type { Arch } from "../../src/linux/arch.ts";
import { type ErrnoName, errnoName, errnoNumber } from "../../src/linux/errno.ts";
import { encode } from "../../src/tape/encode.ts";
import type { Tape } from "../../src/tape/tape.ts";

const WORD = 8;
const OP_WORDS = 22;
const NEVER_FAILS = () => undefined;

/** `struct machine` of player.c. */
const MACHINE = [
  "write",
  "read",
  "close",
  "exit",
  "clone3",
  "control",
  "agent",
  "count",
  "registers",
  "ops",
] as const;

/** `struct op` of player.c. */
export type DecodedOp = {
  readonly number: bigint;
  readonly result: bigint;
  readonly registers: bigint;
  readonly next: number;
  readonly args: readonly bigint[];
  /** Slots in use: errno, and the op to go on with. */
  readonly tolerated: readonly (readonly [errno: number, to: number])[];
};

export class Decoded {
  readonly machine: Readonly<Record<(typeof MACHINE)[number], bigint>>;
  readonly ops: readonly DecodedOp[];
  readonly #memory: DataView;
  readonly #address: number;

  constructor(memory: Uint8Array, address: number) {
    this.#memory = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#address = address;
    const word = (i: number) => this.word(address + i * WORD);
    const names = MACHINE.entries().map(([i, name]) => [name, word(i)]);
    this.machine = Object.fromEntries(names);
    const { count, ops } = this.machine;
    this.ops = Array.from({ length: Number(count) }, (_, i) =>
      this.#op(Number(ops) + i * OP_WORDS * WORD),
    );
  }

  /** The signed 64-bit word at an address. */
  word(address: number | bigint): bigint {
    return this.#memory.getBigInt64(Number(address) - this.#address, true);
  }

  /** Bytes at an address. */
  bytes(address: number | bigint, length: number): Uint8Array {
    const at = this.#memory.byteOffset + Number(address) - this.#address;
    return new Uint8Array(this.#memory.buffer, at, length);
  }

  /** The NUL-terminated string at an address. */
  string(address: number | bigint): string {
    const start = Number(address) - this.#address;
    let end = start;
    while (this.#memory.getUint8(end) !== 0) end++;
    return new TextDecoder().decode(this.bytes(address, end - start));
  }

  /** The strings of a NULL-terminated vector. */
  strings(address: number | bigint): readonly string[] {
    const pointer = this.word(address);
    if (pointer === 0n) return [];
    return [this.string(pointer), ...this.strings(BigInt(address) + BigInt(WORD))];
  }

  /**
   * The ops that are played when `fail` says how each ends, and where an errno ended the tape. Throws
   * if an op does not go forward.
   */
  play(fail: (index: number) => ErrnoName | undefined = NEVER_FAILS): {
    readonly path: readonly number[];
    readonly error?: ErrnoName;
  } {
    const path: number[] = [];
    for (let i = 0; i < this.ops.length;) {
      const op = this.ops[i];
      if (op === undefined) throw new RangeError(`no op ${i}`);
      path.push(i);
      const error = fail(i);
      const to = error === undefined ? op.next : toleratedBy(op, error);
      if (to === undefined) return { path, ...(error ? { error } : {}) };
      if (to <= i) throw new RangeError(`op ${i} goes back to ${to}`);
      i = to;
    }
    return { path };
  }

  #op(at: number): DecodedOp {
    const word = (i: number) => this.word(at + i * WORD);
    const slots = Array.from({ length: 6 }, (_, k) => k);
    return {
      number: word(0),
      result: word(1),
      registers: word(2),
      next: Number(word(3)),
      args: slots.map((k) => word(4 + k)),
      tolerated: slots
        .map((k) => [Number(word(10 + 2 * k)), Number(word(11 + 2 * k))] as const)
        .filter(([errno]) => errno !== 0),
    };
  }
}

function toleratedBy(op: DecodedOp, error: ErrnoName): number | undefined {
  return op.tolerated.find(([errno]) => errno === errnoNumber(error))?.[1];
}

/** Encode the tape in memory of its own and read it back. */
export function decoded(
  tape: Tape,
  { arch = "x86_64", address = 0x7f00_0000_0000 }: { arch?: Arch; address?: number } = {},
): Decoded {
  const memory = new Uint8Array(1 << 20);
  encode(tape, { arch, memory, address, control: 9, agent: 8 });
  return new Decoded(memory, address);
}

/**
 * The labels of the ops played when those named in `failures` fail; an errno that ends the tape
 * stands last.
 */
export function played(tape: Tape, failures: Readonly<Record<string, ErrnoName>> = {}): string[] {
  const label = (index: number) => tape.ops[index]?.label ?? "";
  const { path, error } = decoded(tape).play((index) => failures[label(index)]);
  return [...path.map(label), ...(error ? [error] : [])];
}

/** The errnos an op tolerates. */
export function errnosOf({ tolerated }: DecodedOp): readonly (ErrnoName | undefined)[] {
  return tolerated.map(([errno]) => errnoName(errno));
}
