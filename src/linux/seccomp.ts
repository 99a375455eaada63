// System call filters: seccomp(2), and the classic BPF that they are written in (linux/filter.h).
import { type Call, call } from "./call.ts";
import { SECCOMP_SET_MODE } from "./constants.ts";
import { structOf } from "./struct.ts";

/** linux/seccomp.h */
export const SECCOMP_RET = {
  KILL_PROCESS: 0x8000_0000,
  KILL_THREAD: 0,
  TRAP: 0x0003_0000,
  ERRNO: 0x0005_0000,
  TRACE: 0x7ff0_0000,
  LOG: 0x7ffc_0000,
  USER_NOTIF: 0x7fc0_0000,
  ALLOW: 0x7fff_0000,
  /** The bits that carry an errno, or the data for a tracer. */
  DATA: 0xffff,
} as const;

/** linux/audit.h */
export const AUDIT_ARCH = {
  X86_64: 0xc000_003e,
  I386: 0x4000_0003,
  AARCH64: 0xc000_00b7,
  ARM: 0x4000_0028,
} as const;

/** Of a system call of x32, which counts as x86_64 (asm/unistd.h). */
export const X32_SYSCALL_BIT = 0x4000_0000;

/** Offsets in struct seccomp_data, in bytes. An argument has 8, the low half first. */
export const SECCOMP_DATA = { nr: 0, arch: 4, args: 16 } as const;

/** Whole instruction codes: class, size and mode, or operation and source (linux/bpf_common.h). */
export const BPF = {
  LD_W_ABS: 0x20,
  ALU_AND_K: 0x54,
  JMP_JA: 0x05,
  JMP_JEQ_K: 0x15,
  JMP_JGT_K: 0x25,
  JMP_JGE_K: 0x35,
  RET_K: 0x06,
} as const;

/** Instructions in one filter (linux/bpf_common.h), of 8 bytes each. */
export const BPF_MAXINSNS = 4096;
export const BPF_INSTRUCTION_BYTES = 8;

/** A program of struct sock_filter, and how it is to be loaded. */
export type SeccompFilter = {
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number;
};

/**
 * For the caller and its children, for good. The result is a descriptor, close-on-exec, where the flags
 * ask for a listener. EACCES without CAP_SYS_ADMIN or no_new_privs.
 */
export function loadFilter({ program, flags }: SeccompFilter): Call {
  const length = program.length / BPF_INSTRUCTION_BYTES;
  const fprog = structOf("sock_fprog", { len: length, filter: program });
  return call("seccomp", SECCOMP_SET_MODE.FILTER, flags, fprog);
}
