// A device policy as the program that the kernel runs for a v2 cgroup whenever one of its processes
// opens a device or makes a node for one.
import { BPF_CGROUP_DEV_CTX, BPF_DEVCG_DEV, EBPF, type EbpfInstruction } from "../linux/bpf.ts";
import { ALL_ACCESS, type DeviceException, type DevicePolicy } from "./device-policy.ts";

/** r0 is the answer, r1 the context on entry. */
const R = { ANSWER: 0, CONTEXT: 1, TYPE: 2, ACCESS: 3, MAJOR: 4, MINOR: 5, ASKED: 6 } as const;

const TYPES = { b: BPF_DEVCG_DEV.BLOCK, c: BPF_DEVCG_DEV.CHAR } as const;

/** The first exception that fits decides, else the default. */
export function deviceProgram({ allow, exceptions }: DevicePolicy): EbpfInstruction[] {
  return [
    load(R.TYPE, BPF_CGROUP_DEV_CTX.access_type),
    { code: EBPF.ALU_MOV_X, dst: R.ACCESS, src: R.TYPE },
    { code: EBPF.ALU_AND_K, dst: R.TYPE, imm: 0xffff },
    { code: EBPF.ALU_RSH_K, dst: R.ACCESS, imm: 16 },
    load(R.MAJOR, BPF_CGROUP_DEV_CTX.major),
    load(R.MINOR, BPF_CGROUP_DEV_CTX.minor),
    ...[...exceptions.values()].flatMap((exception) => block(exception, !allow)),
    ...answer(allow),
  ];
}

function load(dst: number, off: number): EbpfInstruction {
  return { code: EBPF.LDX_MEM_W, dst, src: R.CONTEXT, off };
}

function answer(allow: boolean): readonly EbpfInstruction[] {
  return [{ code: EBPF.ALU_MOV_K, dst: R.ANSWER, imm: allow ? 1 : 0 }, { code: EBPF.EXIT }];
}

/** Its tests, each of which leads behind it unless it holds, and its answer. */
function block({ type, major, minor, access }: DeviceException, allow: boolean): EbpfInstruction[] {
  const tests: EbpfInstruction[] = [
    unequal(R.TYPE, TYPES[type]),
    ...(access === ALL_ACCESS ? [] : accessTests(access, allow)),
    ...(major === undefined ? [] : [unequal(R.MAJOR, major)]),
    ...(minor === undefined ? [] : [unequal(R.MINOR, minor)]),
  ];
  const body = [...tests, ...answer(allow)];
  return body.map((each, index) =>
    each.off === BEHIND ? { ...each, off: body.length - index - 1 } : each,
  );
}

/** Stands for a distance that is not known yet. */
const BEHIND = -1;

function unequal(dst: number, imm: number): EbpfInstruction {
  return { code: EBPF.JMP32_JNE_K, dst, imm, off: BEHIND };
}

/** To be allowed, all that is asked for has to be in `access`; to be denied, any of it. */
function accessTests(access: number, allow: boolean): EbpfInstruction[] {
  const test: EbpfInstruction = allow
    ? { code: EBPF.JMP32_JNE_X, dst: R.ASKED, src: R.ACCESS, off: BEHIND }
    : { code: EBPF.JMP32_JEQ_K, dst: R.ASKED, imm: 0, off: BEHIND };
  return [
    { code: EBPF.ALU_MOV_X, dst: R.ASKED, src: R.ACCESS },
    { code: EBPF.ALU_AND_K, dst: R.ASKED, imm: access },
    test,
  ];
}
