// A profile's rules by system call number, for one architecture. Where rules contradict each other it
// is as with libseccomp, on which profiles have been written and tried.
import { type SyscallArchitecture, syscallNumbers } from "../linux/syscall-numbers.ts";
import { BPF_MAXINSNS } from "../linux/seccomp.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { Seccomp, SeccompArg, SeccompSyscall } from "../oci/seccomp.ts";
import { answerOf } from "./action.ts";
import { MULTIPLEXED } from "./multiplexed.ts";

/** `answer` if all conditions hold. */
export type Rule = { readonly conditions: readonly SeccompArg[]; readonly answer: number };

export type Rules = {
  /** In the order in which they are tried. One without conditions is the only one. */
  readonly byNumber: ReadonlyMap<number, readonly Rule[]>;
  /** All numbers that the profile names, whatever it says of them. */
  readonly named: readonly number[];
};

/** Throws InvalidSpec for more conditions than a filter has room for. */
export function rulesFor(profile: Seccomp, architecture: SyscallArchitecture): Rules {
  const numbers = syscallNumbers(architecture);
  const collected = new Collected();
  const named: number[] = [];
  const defaultAnswer = answerOf(profile.defaultAction, profile.defaultErrnoRet);
  for (const syscall of profile.syscalls ?? []) {
    const answer = answerOf(syscall.action, syscall.errnoRet);
    const rules = alternativesOf(syscall).map((conditions) => ({ conditions, answer }));
    for (const name of syscall.names) {
      const number = numbers.get(name);
      if (number !== undefined) named.push(number);
      if (answer === defaultAnswer) continue;
      if (number !== undefined) collected.add(number, rules);
      if (architecture !== "x86" || (syscall.args ?? []).length > 0) continue;
      // A rule with conditions does not reach into the multiplexed call: its arguments are in memory,
      // where no filter looks.
      const { call, operation } = MULTIPLEXED.get(name) ?? {};
      const other = call && numbers.get(call);
      if (other && operation) collected.add(other, [{ conditions: [operation], answer }]);
    }
  }
  return { byNumber: collected.byNumber, named };
}

/**
 * Lists of conditions, one of which must hold. Two on one argument cannot hold together in
 * libseccomp; runc then takes each condition for a rule of its own.
 */
function alternativesOf({ args = [] }: SeccompSyscall): readonly (readonly SeccompArg[])[] {
  const isTwice = new Set(args.map(({ index }) => index)).size < args.length;
  return isTwice ? args.map((condition) => [condition]) : [args];
}

class Collected {
  readonly byNumber = new Map<number, readonly Rule[]>();
  #conditional = 0;

  /** What is unconditional overrides every condition, and the first of its kind stays. */
  add(number: number, rules: readonly Rule[]): void {
    const known = this.byNumber.get(number);
    if (known?.[0]?.conditions.length === 0) return;
    const isCertain = rules[0]?.conditions.length === 0;
    if (!isCertain) this.#countConditional(rules.length);
    // The list is that of all numbers that one rule names.
    this.byNumber.set(number, known === undefined || isCertain ? rules : [...known, ...rules]);
  }

  /** The product of two long lists would keep the agent busy for long, and to no avail. */
  #countConditional(count: number): void {
    this.#conditional += count;
    if (this.#conditional <= BPF_MAXINSNS) return;
    throw new InvalidSpec(
      `linux.seccomp: more conditional rules than the kernel takes instructions, ${BPF_MAXINSNS}`,
    );
  }
}
