// Programs that decide about devices for a cgroup: bpf(2), and the instructions they are written in
// (linux/bpf.h; Documentation/bpf/standardization/instruction-set.rst).
import { type Call, call } from "./call.ts";
import { BPF_CMD, BPF_F } from "./constants.ts";
import { structOf } from "./struct.ts";

export const BPF_PROG_TYPE = { CGROUP_DEVICE: 15 } as const;
export const BPF_ATTACH_TYPE = { CGROUP_DEVICE: 6 } as const;

/** The upper half of `access_type`, the first word of struct bpf_cgroup_dev_ctx: what is asked for. */
export const BPF_DEVCG_ACC = { MKNOD: 1, READ: 2, WRITE: 4 } as const;
/** Its lower half: the type of the device. */
export const BPF_DEVCG_DEV = { BLOCK: 1, CHAR: 2 } as const;
/** Offsets in struct bpf_cgroup_dev_ctx, in bytes. */
export const BPF_CGROUP_DEV_CTX = { access_type: 0, major: 4, minor: 8 } as const;

/** Whole instruction codes: class, size and mode, or operation and source. All compute with 32 bits. */
export const EBPF = {
  LDX_MEM_W: 0x61,
  ALU_AND_K: 0x54,
  ALU_RSH_K: 0x74,
  ALU_MOV_K: 0xb4,
  ALU_MOV_X: 0xbc,
  JMP32_JEQ_K: 0x16,
  JMP32_JNE_K: 0x56,
  JMP32_JNE_X: 0x5e,
  EXIT: 0x95,
} as const;

/** One of `EBPF`, on registers 0 to 10. `off` counts instructions, or bytes of what is loaded from. */
export type EbpfInstruction = {
  readonly code: number;
  readonly dst?: number;
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
};

export const EBPF_INSTRUCTION_BYTES = 8;

/** struct bpf_insn, one after another. */
export function encodeEbpf(program: readonly EbpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * EBPF_INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, dst = 0, src = 0, off = 0, imm = 0 }] of program.entries()) {
    const at = index * EBPF_INSTRUCTION_BYTES;
    view.setUint8(at, code);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, off, true);
    view.setUint32(at + 4, imm, true);
  }
  return bytes;
}

/** The program calls none of the functions that need another. */
const LICENSE = new TextEncoder().encode("Apache-2.0\0");

/** Gives a descriptor. What the verifier has to say goes into `log`, if there is one. */
export function loadDeviceProgram(program: Uint8Array, log?: Uint8Array): Call {
  const attr = structOf("bpf_attr_load", {
    prog_type: BPF_PROG_TYPE.CGROUP_DEVICE,
    insn_cnt: program.length / EBPF_INSTRUCTION_BYTES,
    insns: program,
    license: LICENSE,
    ...(log === undefined ? {} : { log_level: 1, log_size: log.length, log_buf: log }),
  });
  return call("bpf", BPF_CMD.PROG_LOAD, attr, 40);
}

/**
 * Beside the programs of others, and of the cgroups above: all have to allow. With `old`, in its
 * place and without a moment in between (Linux 5.6). The cgroup holds the program until it is removed.
 */
export function attachDeviceProgram(cgroup: number, program: number, old?: number): Call {
  const attr = structOf("bpf_attr_attach", {
    target_fd: cgroup,
    attach_bpf_fd: program,
    attach_type: BPF_ATTACH_TYPE.CGROUP_DEVICE,
    attach_flags: BPF_F.ALLOW_MULTI | (old === undefined ? 0 : BPF_F.REPLACE),
    ...(old === undefined ? {} : { replace_bpf_fd: old }),
  });
  return call("bpf", BPF_CMD.PROG_ATTACH, attr, 20);
}
