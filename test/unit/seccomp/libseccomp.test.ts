// Our filters answer as libseccomp's do, for every system call there is and arguments around those
// that the rules speak of.
import { describe, expect, test } from "bun:test";
import type { Arch } from "../../../src/linux/arch.ts";
import { AUDIT_ARCH, X32_SYSCALL_BIT } from "../../../src/linux/seccomp.ts";
import { type SyscallArchitecture, syscallNumbers } from "../../../src/linux/syscall-numbers.ts";
import {
  SECCOMP_OPERATORS,
  type Seccomp,
  type SeccompArg,
  type SeccompArchitecture,
} from "../../../src/oci/seccomp.ts";
import { compileSeccomp } from "../../../src/seccomp/compile.ts";
import { MULTIPLEXED } from "../../../src/seccomp/multiplexed.ts";
import { type CallData, filterOf } from "../../support/classic-bpf.ts";
import { compileWithLibseccomp, knows, missing, numberOf } from "../../support/libseccomp.ts";
import { pick, seeded } from "../../support/random.ts";
import { containerdProfile, dockerProfile } from "../../support/seccomp-profiles.ts";

const title = missing === undefined ? "as libseccomp" : `as libseccomp (needs ${missing})`;

type Abi = { readonly table: SyscallArchitecture; readonly audit: number; readonly bit: number };

const ABIS: Partial<Record<SeccompArchitecture, Abi>> = {
  SCMP_ARCH_X86_64: { table: "x86_64", audit: AUDIT_ARCH.X86_64, bit: 0 },
  SCMP_ARCH_X86: { table: "x86", audit: AUDIT_ARCH.I386, bit: 0 },
  SCMP_ARCH_X32: { table: "x32", audit: AUDIT_ARCH.X86_64, bit: X32_SYSCALL_BIT },
  SCMP_ARCH_AARCH64: { table: "aarch64", audit: AUDIT_ARCH.AARCH64, bit: 0 },
  SCMP_ARCH_ARM: { table: "arm", audit: AUDIT_ARCH.ARM, bit: 0 },
};

const NARROW: readonly SyscallArchitecture[] = ["x86", "x32", "arm"];

const ALL_NAMES = [
  ...new Set(Object.values(ABIS).flatMap(({ table }) => [...syscallNumbers(table).keys()])),
];

/** Of x32 since a later libseccomp than Debian 12 has. */
const ADDED_SINCE = "map_shadow_stack";

function isKnown(name: string): boolean {
  return name !== ADDED_SINCE && knows(name);
}

/** The profile without what the libseccomp of this machine is too old for. */
function knownIn(profile: Seccomp): Seccomp {
  const { syscalls = [] } = profile;
  return {
    ...profile,
    syscalls: syscalls.map((rule) => ({ ...rule, names: rule.names.filter(isKnown) })),
  };
}

/** Values around those that the rules compare with, and around the halves of 64 bits. */
function samplesOf({ syscalls = [] }: Seccomp): readonly bigint[] {
  const spoken = syscalls.flatMap(({ args = [] }) =>
    args.flatMap(({ value, valueTwo }) => [value, valueTwo, value ^ valueTwo]),
  );
  const around = [...spoken, 0n, 1n << 32n].flatMap((value) => [
    value - 1n,
    value,
    value + 1n,
    value ^ (1n << 31n),
    value ^ (1n << 32n),
    ~value,
  ]);
  return [...new Set(around.map((value) => BigInt.asUintN(64, value)))];
}

/** Every number up to the last one that the profile names, with each sample in each argument. */
function* callsOf(profile: Seccomp): Generator<CallData> {
  const samples = samplesOf(profile);
  const named = new Set((profile.syscalls ?? []).flatMap(({ names }) => names));
  const conditional = new Set(
    (profile.syscalls ?? []).flatMap(({ names, args = [] }) => (args.length > 0 ? names : [])),
  );
  for (const architecture of profile.architectures ?? []) {
    const abi = ABIS[architecture];
    if (abi === undefined) throw new Error(`no table for ${architecture}`);
    const { table, audit: arch, bit } = abi;
    const numbers = syscallNumbers(table);
    const asked = [...numbers].filter(([name, number]) => named.has(name) && number < 0xf_0000);
    const last = asked.reduce((most, [, number]) => Math.max(most, number), 0);
    const sampled = new Set([...conditional].map((name) => numbers.get(name)));
    for (const name of ["socketcall", "ipc"]) sampled.add(numbers.get(name));
    for (let number = 0; number <= last; number++) {
      const nr = number + bit;
      yield { arch, nr };
      if (!sampled.has(number)) continue;
      for (const sample of samples) {
        const word = NARROW.includes(table) && table !== "x32" ? sample & 0xffff_ffffn : sample;
        for (let index = 0; index < 6; index++) {
          const args = Array.from({ length: 6 }, (_, i) => (i === index ? word : 0n));
          yield { arch, nr, args };
        }
        yield { arch, nr, args: Array.from({ length: 6 }, () => word) };
      }
    }
  }
}

function compare(profile: Seccomp, arch: Arch): number {
  const known = knownIn(profile);
  const ours = filterOf(compileSeccomp(known, arch).program);
  const theirs = filterOf(compileWithLibseccomp(known));
  let count = 0;
  for (const call of callsOf(known)) {
    count++;
    if (ours(call) === theirs(call)) continue;
    const { nr, args = [] } = call;
    const answers = [ours(call), theirs(call)].map((answer) => answer.toString(16));
    throw new Error(`${call.arch}: ${nr}(${args.join(", ")}): ${answers.join(", theirs ")}`);
  }
  return count;
}

const ARGUMENTS: Readonly<Record<Arch, SeccompArchitecture[]>> = {
  x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

describe.skipIf(missing !== undefined)(title, () => {
  test.each(["x86_64", "x86", "x32", "aarch64", "arm"] as const)(
    "system calls of %s have the same numbers",
    (table) => {
      const [architecture] = Object.entries(ABIS).find(([, abi]) => abi.table === table) ?? [];
      const numbers = syscallNumbers(table);
      const token = architecture as SeccompArchitecture;
      // To libseccomp those of x86 that have two ways to them have a number of its own making.
      const names = ALL_NAMES.filter(
        (name) => isKnown(name) && !(table === "x86" && MULTIPLEXED.has(name)),
      );
      const theirs = names.map((name) => `${name} ${numberOf(name, token)}`);
      const ours = names.map((name) => `${name} ${numbers.get(name)}`);
      expect(theirs.length).toBeGreaterThan(400);
      expect(ours).toEqual(theirs);
    },
  );

  for (const arch of ["x86_64", "arm64"] as const) {
    test(`Docker's default profile on ${arch}`, () => {
      expect(compare(dockerProfile(arch), arch)).toBeGreaterThan(1500);
    });

    test(`containerd's default profile on ${arch}`, () => {
      expect(compare(containerdProfile(arch), arch)).toBeGreaterThan(1500);
    });

    test.each(SECCOMP_OPERATORS)(`the operator %s on ${arch}`, (op) => {
      const values = [0n, 1n, 40n, 0xffff_ffffn, 1n << 32n, 0x1_0000_0028n, (1n << 64n) - 1n];
      for (const value of values) {
        for (const valueTwo of op === "SCMP_CMP_MASKED_EQ" ? values : [0n]) {
          const args = [{ index: 2, op, value, valueTwo }];
          const rule = { names: ["openat"], action: "SCMP_ACT_ALLOW", args } as const;
          const others = { names: ["read", "prctl"], action: "SCMP_ACT_LOG" } as const;
          compare(
            {
              defaultAction: "SCMP_ACT_KILL_PROCESS",
              architectures: ARGUMENTS[arch],
              syscalls: [rule, others],
            },
            arch,
          );
        }
      }
      expect(values.length).toBe(7);
    });

    test(`random rules on ${arch}`, () => {
      const random = seeded(arch.length);
      let calls = 0;
      for (let i = 0; i < 60; i++) calls += compare(randomProfile(random, arch), arch);
      expect(calls).toBeGreaterThan(20_000);
    });
  }
});

const VALUES = [0n, 1n, 2n, 0x10n, 0xffff_ffffn, 1n << 32n, 0x1_0000_0002n];

/**
 * One rule for a name: of several that overlap, libseccomp follows the first one whose first condition
 * holds and forgets the others, where all are meant to count.
 */
function randomProfile(random: () => number, arch: Arch): Seccomp {
  const names = ALL_NAMES.filter((name) => isKnown(name) && !MULTIPLEXED.has(name));
  const argument = (index: number): SeccompArg => ({
    index,
    op: pick(random, SECCOMP_OPERATORS),
    value: pick(random, VALUES),
    valueTwo: pick(random, VALUES),
  });
  const taken = new Set<string>();
  const rule = () => {
    const chosen = Array.from({ length: 1 + Math.floor(random() * 40) }, () => pick(random, names));
    const args = random() < 0.7 ? [] : [0, 1, 5].filter(() => random() < 0.5).map(argument);
    const fresh = [...new Set(chosen)].filter((name) => !taken.has(name));
    for (const name of fresh) taken.add(name);
    return { names: fresh, action: "SCMP_ACT_ALLOW", args } as const;
  };
  return {
    defaultAction: pick(random, ["SCMP_ACT_ERRNO", "SCMP_ACT_TRAP", "SCMP_ACT_KILL"]),
    architectures: ARGUMENTS[arch],
    syscalls: Array.from({ length: 1 + Math.floor(random() * 6) }, rule),
  };
}
