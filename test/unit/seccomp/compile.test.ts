// A profile and what its filter answers.
import { describe, expect, test } from "bun:test";
import {
  BPF_MAXINSNS,
  AUDIT_ARCH,
  SECCOMP_RET,
  X32_SYSCALL_BIT,
} from "../../../src/linux/seccomp.ts";
import { syscallNumbers } from "../../../src/linux/syscall-numbers.ts";
import type { Seccomp, SeccompArg, SeccompSyscall } from "../../../src/oci/seccomp.ts";
import { compileSeccomp } from "../../../src/seccomp/compile.ts";
import { disassemble, filterOf } from "../../support/classic-bpf.ts";
import { containerdProfile, dockerProfile } from "../../support/seccomp-profiles.ts";

const { ALLOW, ERRNO, KILL_THREAD, KILL_PROCESS, LOG, TRACE, TRAP } = SECCOMP_RET;
const EPERM = ERRNO + 1;
const ENOSYS = ERRNO + 38;

const numbers = syscallNumbers("x86_64");

function numberOf(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`no system call ${name}`);
  return number;
}

function profile(syscalls: readonly SeccompSyscall[], change: Partial<Seccomp> = {}): Seccomp {
  return { defaultAction: "SCMP_ACT_ERRNO", syscalls, ...change };
}

function allow(name: string, ...args: readonly SeccompArg[]): SeccompSyscall {
  return { names: [name], action: "SCMP_ACT_ALLOW", args };
}

const equal = (index: number, value: bigint): SeccompArg => ({
  index,
  value,
  valueTwo: 0n,
  op: "SCMP_CMP_EQ",
});

/** The answer to a call of x86_64. */
function answer(given: Seccomp, name: string | number, ...args: readonly bigint[]): number {
  const nr = typeof name === "number" ? name : numberOf(name);
  return filterOf(compileSeccomp(given, "x86_64").program)({ arch: AUDIT_ARCH.X86_64, nr, args });
}

test("a filter looks at the architecture, searches the number, and then looks at arguments", () => {
  const given = profile([allow("read"), allow("write"), allow("dup", equal(0, 1n << 32n))]);
  expect(disassemble(compileSeccomp(given, "x86_64").program)).toMatchInlineSnapshot(`
    "0: LD_W_ABS 0x4
    1: JMP_JEQ_K 0xc000003e →2 else →15
    2: LD_W_ABS 0x0
    3: JMP_JGE_K 0x21 →6 else →4
    4: JMP_JGE_K 0x2 →5 else →13
    5: JMP_JGE_K 0x20 →9 else →14
    6: JMP_JGE_K 0x40000000 →8 else →7
    7: RET_K 0x50026
    8: JMP_JGE_K 0xffffffff →14 else →15
    9: LD_W_ABS 0x14
    10: JMP_JEQ_K 0x1 →11 else →14
    11: LD_W_ABS 0x10
    12: JMP_JEQ_K 0x0 →13 else →14
    13: RET_K 0x7fff0000
    14: RET_K 0x50001
    15: RET_K 0x0"
  `);
});

test("neighbours with the same answer are one range", () => {
  const names = [...numbers.keys()];
  const all = { names, action: "SCMP_ACT_ALLOW" } as const;
  const few = compileSeccomp(profile([all]), "x86_64").program.length / 8;
  expect(few).toBeLessThan(30);
});

describe("an action", () => {
  test.each<[Partial<SeccompSyscall>, number]>([
    [{ action: "SCMP_ACT_KILL" }, KILL_THREAD],
    [{ action: "SCMP_ACT_KILL_THREAD" }, KILL_THREAD],
    [{ action: "SCMP_ACT_KILL_PROCESS" }, KILL_PROCESS],
    [{ action: "SCMP_ACT_TRAP" }, TRAP],
    [{ action: "SCMP_ACT_ERRNO" }, EPERM],
    [{ action: "SCMP_ACT_ERRNO", errnoRet: 38 }, ENOSYS],
    [{ action: "SCMP_ACT_ERRNO", errnoRet: 0 }, ERRNO],
    [{ action: "SCMP_ACT_TRACE" }, TRACE],
    [{ action: "SCMP_ACT_TRACE", errnoRet: 7 }, TRACE + 7],
    [{ action: "SCMP_ACT_LOG" }, LOG],
    [{ action: "SCMP_ACT_ALLOW" }, ALLOW],
  ])("%j is the kernel's word for it", (change, word) => {
    const rule = { names: ["mkdir"], action: "SCMP_ACT_ALLOW", ...change } as const;
    const given = profile([rule, allow("rmdir")], {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 5,
    });
    expect([answer(given, "mkdir"), answer(given, "read")]).toEqual([word, ERRNO + 5]);
  });
});

describe("a number that is newer than the profile", () => {
  const last = numberOf("rmdir");

  test("is not there, whatever the profile forbids", () => {
    for (const defaultAction of [
      "SCMP_ACT_ERRNO",
      "SCMP_ACT_KILL_PROCESS",
      "SCMP_ACT_TRAP",
    ] as const) {
      const given = profile([allow("rmdir")], { defaultAction });
      expect(answer(given, last + 1)).toBe(ENOSYS);
      expect(answer(given, last - 1)).not.toBe(ENOSYS);
    }
  });

  test("is so also where the last name has the answer of all", () => {
    const denied = { names: ["rmdir"], action: "SCMP_ACT_ERRNO" } as const;
    const given = profile([allow("read"), denied]);
    expect([answer(given, last), answer(given, last + 1)]).toEqual([EPERM, ENOSYS]);
  });

  test("is the kernel's business where the profile allows what it does not name", () => {
    const denied = { names: ["rmdir"], action: "SCMP_ACT_ERRNO" } as const;
    const answers = (["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"] as const).map(
      (defaultAction) => answer(profile([denied], { defaultAction }), last + 1),
    );
    expect(answers).toEqual([ALLOW, LOG, TRACE]);
  });

  test("is none where no name is known", () => {
    expect(answer(profile([allow("no_such_call")]), 5000)).toBe(EPERM);
  });

  test("does not hide the private calls of ARM", () => {
    const given = profile([allow("read"), allow("set_tls")], { architectures: ["SCMP_ARCH_ARM"] });
    const run = filterOf(compileSeccomp(given, "arm64").program);
    const answers = [3, 4, 0xe_ffff, 0xf_0001, 0xf_0005].map((nr) =>
      run({ arch: AUDIT_ARCH.ARM, nr }),
    );
    expect(answers).toEqual([ALLOW, ENOSYS, ENOSYS, EPERM, ALLOW]);
  });
});

describe("several rules for one name", () => {
  test("are alternatives", () => {
    const given = profile([allow("dup", equal(0, 1n)), allow("dup", equal(0, 2n)), allow("read")]);
    expect([1n, 2n, 3n].map((value) => answer(given, "dup", value))).toEqual([ALLOW, ALLOW, EPERM]);
  });

  test("give way to one without conditions, before or after them", () => {
    const trap = { names: ["dup"], action: "SCMP_ACT_TRAP" } as const;
    for (const rules of [
      [trap, allow("dup", equal(0, 1n))],
      [allow("dup", equal(0, 1n)), trap],
    ]) {
      expect(answer(profile(rules), "dup", 1n)).toBe(TRAP);
    }
  });

  test("are the first whose conditions hold, if their actions differ", () => {
    const trap = { ...allow("dup", equal(1, 1n)), action: "SCMP_ACT_TRAP" } as const;
    const given = profile([trap, allow("dup", equal(0, 1n))]);
    const answers = [answer(given, "dup", 1n, 1n), answer(given, "dup", 1n, 0n)];
    expect(answers).toEqual([TRAP, ALLOW]);
  });

  test("are as many as the conditions of one rule, if two are on one argument", () => {
    const given = profile([allow("dup3", equal(0, 1n), equal(0, 2n), equal(1, 7n))]);
    const calls = [
      [1n, 0n],
      [2n, 0n],
      [3n, 7n],
      [3n, 0n],
    ];
    const answers = calls.map((args) => answer(given, "dup3", ...args));
    expect(answers).toEqual([ALLOW, ALLOW, ALLOW, EPERM]);
  });
});

describe("an architecture", () => {
  const run = (given: Seccomp) => filterOf(compileSeccomp(given, "x86_64").program);

  test("that is not listed has no calls, but for the machine's own", () => {
    const filter = run(profile([allow("read")], { architectures: ["SCMP_ARCH_AARCH64"] }));
    expect(filter({ arch: AUDIT_ARCH.X86_64, nr: 0 })).toBe(ALLOW);
    for (const arch of [AUDIT_ARCH.I386, AUDIT_ARCH.AARCH64, 0]) {
      expect(filter({ arch, nr: 0 })).toBe(KILL_THREAD);
    }
    expect(filter({ arch: AUDIT_ARCH.X86_64, nr: X32_SYSCALL_BIT })).toBe(KILL_THREAD);
    expect(filter({ arch: AUDIT_ARCH.X86_64, nr: 0xffff_ffff })).toBe(EPERM);
  });

  test("may be listed twice", () => {
    const once = profile([allow("read")], { architectures: ["SCMP_ARCH_X86"] });
    const twice = { ...once, architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X86"] } as const;
    expect(compileSeccomp(twice, "x86_64")).toEqual(compileSeccomp(once, "x86_64"));
  });

  test("of 32 bits has no high halves to compare", () => {
    const given = profile([allow("dup", equal(0, 0x1_0000_0005n))], {
      architectures: ["SCMP_ARCH_X86"],
    });
    const nr = syscallNumbers("x86").get("dup") ?? -1;
    expect(run(given)({ arch: AUDIT_ARCH.I386, nr, args: [5n] })).toBe(ALLOW);
  });

  test("x86 has socket calls in two ways, and a condition reaches only the direct one", () => {
    const socketcall = { arch: AUDIT_ARCH.I386, nr: 102, args: [1n] };
    const architectures = ["SCMP_ARCH_X86"] as const;
    expect(run(profile([allow("socket")], { architectures }))(socketcall)).toBe(ALLOW);
    const conditional = profile([allow("socket", equal(0, 1n))], { architectures });
    expect(run(conditional)(socketcall)).toBe(EPERM);
  });
});

test("flags are the kernel's bits; without a listener what concerns one has no effect", () => {
  const flags = (list: Seccomp["flags"]) =>
    compileSeccomp(profile([], { flags: list }), "x86_64").flags;
  expect(flags(undefined)).toBe(0);
  expect(flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"])).toBe(5);
  expect(flags(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])).toBe(2);
});

test("a rule that notifies asks for a listener, whom the kernel gives to one thread only", () => {
  const rule = { names: ["mkdir"], action: "SCMP_ACT_NOTIFY" } as const;
  const flags = (list: Seccomp["flags"]) =>
    compileSeccomp(profile([rule], { flags: list }), "x86_64").flags;
  expect(flags(undefined)).toBe(8);
  expect(flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"])).toBe(10);
  expect(flags(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])).toBe(40);
});

test("jumps farther than 255 instructions find their way", () => {
  const names = [...numbers.keys()].filter((_, index) => index % 2 === 0);
  const rules = names.map((name, index) =>
    allow(name, equal(index % 6, BigInt(index) << 32n), equal((index + 1) % 6, BigInt(index))),
  );
  const run = filterOf(compileSeccomp(profile(rules), "x86_64").program);
  for (const [index, name] of names.entries()) {
    const args = Array.from({ length: 6 }, () => 0n);
    const call = { arch: AUDIT_ARCH.X86_64, nr: numberOf(name), args };
    args[index % 6] = BigInt(index) << 32n;
    args[(index + 1) % 6] = BigInt(index);
    expect(run(call)).toBe(ALLOW);
    args[index % 6] = 1n;
    expect(run(call)).toBe(EPERM);
  }
});

test("a filter that is too long for the kernel is refused before anything is done", () => {
  const rules = Array.from({ length: BPF_MAXINSNS / 2 }, (_, index) =>
    allow("read", equal(0, BigInt(index) << 33n)),
  );
  expect(() => compileSeccomp(profile(rules), "x86_64")).toThrow("the kernel takes 4096");
});

test("long lists of names and conditions are refused at once", () => {
  const names = Array.from({ length: 100_000 }, () => "read");
  const args = Array.from({ length: 100_000 }, (_, index) => equal(0, BigInt(index)));
  const action = "SCMP_ACT_ALLOW";
  const given = profile([{ names, action, args }]);
  expect(() => compileSeccomp(given, "x86_64")).toThrow("more conditional rules");
  // Once it is allowed whatever its arguments, conditions change nothing.
  const certain = profile([allow("read"), { names, action, args }]);
  expect(answer(certain, "read")).toBe(ALLOW);
});

test.each([dockerProfile, containerdProfile])("%p is a short filter", (profileFor) => {
  for (const arch of ["x86_64", "arm64"] as const) {
    const { program } = compileSeccomp(profileFor(arch), arch);
    expect(program.length / 8).toBeLessThan(400);
  }
});
