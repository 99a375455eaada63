// The part of extended BPF that device programs use, as the kernel runs it: ___bpf_prog_run, and what
// its verifier insists on.
import { BPF_CGROUP_DEV_CTX, EBPF, type EbpfInstruction } from "../../src/linux/bpf.ts";

/** struct bpf_cgroup_dev_ctx: type and access in one word, BPF_DEVCG_DEV and BPF_DEVCG_ACC. */
export type DeviceAccess = {
  readonly type: number;
  readonly access: number;
  readonly major: number;
  readonly minor: number;
};

/** A function from an access to the program's answer. Throws for what the kernel would not load. */
export function deviceFilterOf(
  program: readonly EbpfInstruction[],
): (asked: DeviceAccess) => boolean {
  if (program.at(-1)?.code !== EBPF.EXIT) throw new Error("the last instruction is no exit");
  for (const [index, { code, off = 0 }] of program.entries()) {
    const target = index + 1 + off;
    if (isJump(code) && (off < 0 || target >= program.length))
      throw new Error(`${index}: jumps to ${target}`);
  }
  return (asked) => run(program, asked);
}

/** One line an instruction: names, registers, and targets as numbers of lines. */
export function listEbpf(program: readonly EbpfInstruction[]): string {
  const names = Object.fromEntries(Object.entries(EBPF).map(([name, code]) => [code, name]));
  return program
    .map(({ code, dst = 0, src = 0, off = 0, imm = 0 }, index) => {
      const name = names[code] ?? code;
      if (code === EBPF.EXIT) return `${index}: ${name}`;
      if (code === EBPF.LDX_MEM_W) return `${index}: ${name} r${dst} [r${src}+${off}]`;
      const operand = code === EBPF.ALU_MOV_X || code === EBPF.JMP32_JNE_X ? `r${src}` : imm;
      return `${index}: ${name} r${dst} ${operand}${isJump(code) ? ` →${index + 1 + off}` : ""}`;
    })
    .join("\n");
}

const JUMPS: readonly number[] = [EBPF.JMP32_JEQ_K, EBPF.JMP32_JNE_K, EBPF.JMP32_JNE_X];
const isJump = (code: number): boolean => JUMPS.includes(code);

function run(program: readonly EbpfInstruction[], asked: DeviceAccess): boolean {
  const context: Readonly<Record<number, number>> = {
    [BPF_CGROUP_DEV_CTX.access_type]: (asked.access << 16) | asked.type,
    [BPF_CGROUP_DEV_CTX.major]: asked.major,
    [BPF_CGROUP_DEV_CTX.minor]: asked.minor,
  };
  const registers: (number | undefined)[] = [];
  const value = (register: number): number => {
    const word = registers[register];
    if (word === undefined) throw new Error(`r${register} is read before it is written`);
    return word;
  };
  for (let i = 0; ; i++) {
    const { code, dst = 0, src = 0, off = 0, imm = 0 } = program[i] ?? { code: -1 };
    if (code === EBPF.EXIT) return value(0) !== 0;
    if (code === EBPF.LDX_MEM_W) registers[dst] = context[off];
    else if (code === EBPF.ALU_MOV_K) registers[dst] = imm >>> 0;
    else if (code === EBPF.ALU_MOV_X) registers[dst] = value(src);
    else if (code === EBPF.ALU_AND_K) registers[dst] = (value(dst) & imm) >>> 0;
    else if (code === EBPF.ALU_RSH_K) registers[dst] = value(dst) >>> imm;
    else if (code === EBPF.JMP32_JEQ_K) i += value(dst) === imm >>> 0 ? off : 0;
    else if (code === EBPF.JMP32_JNE_K) i += value(dst) === imm >>> 0 ? 0 : off;
    else if (code === EBPF.JMP32_JNE_X) i += value(dst) === value(src) ? 0 : off;
    else throw new Error(`${i}: no instruction ${code}`);
  }
}
