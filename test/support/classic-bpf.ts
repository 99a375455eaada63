// Classic BPF as the kernel runs it for a filter of system calls: seccomp_run_filters, sk_chk_filter.
import { BPF, SECCOMP_DATA } from "../../src/linux/seccomp.ts";

export type CallData = {
  readonly arch: number;
  readonly nr: number;
  /** Six at most; those left out are 0. */
  readonly args?: readonly bigint[];
};

type Instruction = {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
};

/** A function from a call to the filter's answer. Throws for what the kernel would refuse to load. */
export function filterOf(program: Uint8Array): (data: CallData) => number {
  const instructions = read(program);
  instructions.forEach((instruction, index) => check(instruction, index, instructions.length));
  return (data) => run(instructions, data);
}

/** One line an instruction: names, and targets as numbers of lines. */
export function disassemble(program: Uint8Array): string {
  const names = Object.fromEntries(Object.entries(BPF).map(([name, code]) => [code, name]));
  return read(program)
    .map(({ code, jt, jf, k }, index) => {
      const name = names[code] ?? code;
      const word = `0x${k.toString(16)}`;
      if (code === BPF.JMP_JA) return `${index}: ${name} →${index + 1 + k}`;
      if (!isJump(code)) return `${index}: ${name} ${word}`;
      return `${index}: ${name} ${word} →${index + 1 + jt} else →${index + 1 + jf}`;
    })
    .join("\n");
}

function read(program: Uint8Array): Instruction[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: program.length / 8 }, (_, i) => ({
    code: view.getUint16(8 * i, true),
    jt: view.getUint8(8 * i + 2),
    jf: view.getUint8(8 * i + 3),
    k: view.getUint32(8 * i + 4, true),
  }));
}

/** libseccomp writes it; we do not. */
const JMP_JSET_K = 0x45;
const JUMPS: readonly number[] = [BPF.JMP_JEQ_K, BPF.JMP_JGT_K, BPF.JMP_JGE_K, JMP_JSET_K];
const isJump = (code: number): boolean => JUMPS.includes(code);

function check({ code, jt, jf, k }: Instruction, index: number, length: number): void {
  const last = index + 1 + (isJump(code) ? Math.max(jt, jf) : code === BPF.JMP_JA ? k : 0);
  if (code !== BPF.RET_K && last >= length) throw new Error(`${index}: jumps beyond the end`);
  if (code === BPF.LD_W_ABS && (k % 4 !== 0 || k > 60))
    throw new Error(`${index}: loads from ${k}`);
}

function run(instructions: readonly Instruction[], { arch, nr, args = [] }: CallData): number {
  const load = (offset: number): number => {
    if (offset === SECCOMP_DATA.nr) return nr;
    if (offset === SECCOMP_DATA.arch) return arch;
    const at = offset - SECCOMP_DATA.args;
    const argument = args[at >> 3] ?? 0n;
    return Number((at % 8 === 0 ? argument : argument >> 32n) & 0xffff_ffffn);
  };
  let a = 0;
  for (let i = 0; ; i++) {
    const instruction = instructions[i];
    if (instruction === undefined) throw new Error("ran beyond the end");
    const { code, jt, jf, k } = instruction;
    if (code === BPF.RET_K) return k;
    if (code === BPF.LD_W_ABS) a = load(k);
    else if (code === BPF.ALU_AND_K) a = (a & k) >>> 0;
    else if (code === BPF.JMP_JA) i += k;
    else i += holds(code, a, k) ? jt : jf;
  }
}

function holds(code: number, a: number, k: number): boolean {
  switch (code) {
    case BPF.JMP_JEQ_K:
      return a === k;
    case BPF.JMP_JGT_K:
      return a > k;
    case BPF.JMP_JGE_K:
      return a >= k;
    case JMP_JSET_K:
      return (a & k) !== 0;
    default:
      throw new Error(`no instruction 0x${code.toString(16)}`);
  }
}
