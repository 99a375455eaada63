// linux.seccomp → the filter that the kernel runs before each system call of a container: which
// architecture, then a binary search for the number, then the conditions on arguments.
import type { Arch } from "../linux/arch.ts";
import { SECCOMP_FILTER_FLAG } from "../linux/constants.ts";
import {
  AUDIT_ARCH,
  BPF_INSTRUCTION_BYTES,
  BPF_MAXINSNS,
  SECCOMP_DATA,
  SECCOMP_RET,
  type SeccompFilter,
  X32_SYSCALL_BIT,
} from "../linux/seccomp.ts";
import type { SyscallArchitecture } from "../linux/syscall-numbers.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { Seccomp, SeccompArchitecture, SeccompFlag } from "../oci/seccomp.ts";
import { ENOSYS, answerOf, isPermissive } from "./action.ts";
import { Assembler, type Place } from "./assembler.ts";
import { compileCondition } from "./condition.ts";
import { type Range, merged, rangesOf } from "./ranges.ts";
import { type Rule, rulesFor } from "./rules.ts";

/** The kernel's word for an architecture, and what is said of its calls. */
type Abi = { readonly audit: number; readonly ranges: readonly Range[] };

/**
 * The filter for a process on a machine of `arch`. Names of calls that no architecture has are passed
 * over. Throws InvalidSpec if it would be longer than the kernel takes.
 */
export function compileSeccomp(profile: Seccomp, arch: Arch): SeccompFilter {
  const into = new Assembler();
  // As libseccomp does with calls of an architecture that the profile does not list.
  let other = into.ret(SECCOMP_RET.KILL_THREAD);
  for (const { audit, ranges } of abisOf(profile, arch)) {
    const start = into.load(SECCOMP_DATA.nr, search(into, ranges));
    other = into.jump("JEQ", audit, start, other);
  }
  into.load(SECCOMP_DATA.arch, other);
  const program = into.program();
  const length = program.length / BPF_INSTRUCTION_BYTES;
  if (length > BPF_MAXINSNS) {
    throw new InvalidSpec(
      `linux.seccomp: a filter of ${length} instructions, the kernel takes ${BPF_MAXINSNS}`,
    );
  }
  return { program, flags: flagsOf(profile) };
}

/** The machine's own last: what is written last is looked at first. */
function abisOf(profile: Seccomp, arch: Arch): readonly Abi[] {
  const listed = new Set<SeccompArchitecture>(profile.architectures);
  const rangesFor = (architecture: SyscallArchitecture) =>
    rangesOf(rulesFor(profile, architecture), architecture, answersOf(profile));
  if (arch === "arm64") {
    const own = { audit: AUDIT_ARCH.AARCH64, ranges: rangesFor("aarch64") };
    if (!listed.has("SCMP_ARCH_ARM")) return [own];
    return [{ audit: AUDIT_ARCH.ARM, ranges: rangesFor("arm") }, own];
  }
  const x32 = listed.has("SCMP_ARCH_X32") ? rangesFor("x32") : undefined;
  const ranges = merged([
    ...rangesFor("x86_64"),
    ...aboveX32Bit(x32, answersOf(profile).otherwise),
  ]);
  const own = { audit: AUDIT_ARCH.X86_64, ranges };
  if (!listed.has("SCMP_ARCH_X86")) return [own];
  return [{ audit: AUDIT_ARCH.I386, ranges: rangesFor("x86") }, own];
}

function answersOf({ defaultAction, defaultErrnoRet }: Seccomp) {
  // As runc does: a libc that tries a new call first and falls back on ENOSYS would take EPERM for
  // the answer (defect D39).
  const newer = isPermissive(defaultAction) ? undefined : ENOSYS;
  return { otherwise: answerOf(defaultAction, defaultErrnoRet), newer };
}

/** To the kernel x32 is x86_64 with a bit set in the number. -1 is what a tracer makes of a call. */
function aboveX32Bit(x32: readonly Range[] | undefined, otherwise: number): readonly Range[] {
  if (x32 !== undefined) {
    return x32.map((range) => ({ ...range, start: range.start + X32_SYSCALL_BIT }));
  }
  return [
    { start: X32_SYSCALL_BIT, rules: [], wide: true, otherwise: SECCOMP_RET.KILL_THREAD },
    { start: 0xffff_ffff, rules: [], wide: true, otherwise },
  ];
}

/**
 * The number is loaded: find its range. Conditions are written first, so that they stand behind the
 * search, whose jumps are then short.
 */
function search(into: Assembler, ranges: readonly Range[]): Place {
  const leads = ranges.map(({ start, rules, wide, otherwise }) => {
    const [first] = rules;
    const isCertain = first === undefined || first.conditions.length === 0;
    const place = isCertain ? undefined : conditional(into, rules, wide, otherwise);
    // An answer is written wherever it is needed: one that is far away would cost a jump.
    return { start, lead: () => place ?? into.ret(first?.answer ?? otherwise) };
  });
  return between(into, leads);
}

type Lead = { readonly start: number; readonly lead: () => Place };

/** What is not less than the middle is written first: the other half then follows its jump. */
function between(into: Assembler, leads: readonly Lead[]): Place {
  const middle = leads.length >> 1;
  const at = leads[middle];
  if (at === undefined) throw new RangeError("no range to search");
  if (middle === 0) return at.lead();
  const notLess = between(into, leads.slice(middle));
  return into.jump("JGE", at.start, notLess, between(into, leads.slice(0, middle)));
}

/** The answer of the first rule whose conditions all hold. */
function conditional(
  into: Assembler,
  rules: readonly Rule[],
  wide: boolean,
  otherwise: number,
): Place {
  let no = into.ret(otherwise);
  for (const { conditions, answer } of rules.toReversed()) {
    let yes = into.ret(answer);
    for (const condition of conditions.toReversed()) {
      yes = compileCondition(into, condition, { yes, no }, wide);
    }
    no = yes;
  }
  return no;
}

const FLAGS: Readonly<Record<SeccompFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: SECCOMP_FILTER_FLAG.TSYNC,
  SECCOMP_FILTER_FLAG_LOG: SECCOMP_FILTER_FLAG.LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: SECCOMP_FILTER_FLAG.SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV,
};

/**
 * A filter that notifies nobody has no listener, and nothing that waits for one. Beside a listener the
 * kernel takes no TSYNC; who loads this has one thread.
 */
function flagsOf({ flags = [], syscalls = [] }: Seccomp): number {
  const bits = flags.reduce((sofar, flag) => sofar | FLAGS[flag], 0);
  const { TSYNC, NEW_LISTENER, WAIT_KILLABLE_RECV } = SECCOMP_FILTER_FLAG;
  const notifies = syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY");
  return notifies ? (bits & ~TSYNC) | NEW_LISTENER : bits & ~WAIT_KILLABLE_RECV;
}
