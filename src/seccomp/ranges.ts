// One architecture's system call numbers as ranges with the same rules, in their order: profiles name
// hundreds of numbers, and most of them stand in a row.
import type { SyscallArchitecture } from "../linux/syscall-numbers.ts";
import type { Rule, Rules } from "./rules.ts";

/** From `start` to the start of the next one. `rules` are tried in turn, then it is `otherwise`. */
export type Range = {
  readonly start: number;
  readonly rules: readonly Rule[];
  /** Arguments have 64 bits. */
  readonly wide: boolean;
  readonly otherwise: number;
};

/** ARM has a few calls of its own far above the others (asm/unistd.h: __ARM_NR_BASE). */
const ARM_PRIVATE = 0x0f_0000;

export type Answers = {
  readonly otherwise: number;
  /** For numbers above all that the profile names; undefined: as the others. */
  readonly newer: number | undefined;
};

export function rangesOf(
  { byNumber, named }: Rules,
  architecture: SyscallArchitecture,
  { otherwise, newer }: Answers,
): readonly Range[] {
  // x32 has 64-bit registers and 32-bit words.
  const wide = architecture === "x86_64" || architecture === "aarch64";
  const rest = (start: number, word = otherwise) => ({ start, rules: [], wide, otherwise: word });
  const ranges: Range[] = [];
  let next = 0;
  // An array of numbers is sorted without a call of ours for each two of some hundred.
  for (const number of Uint32Array.from(byNumber.keys()).toSorted()) {
    if (number > next || number === 0) append(ranges, rest(next));
    append(ranges, { start: number, rules: byNumber.get(number) ?? [], wide, otherwise });
    next = number + 1;
  }
  append(ranges, rest(next));
  const isPublic = (number: number) => architecture !== "arm" || number < ARM_PRIVATE;
  const last = named.filter(isPublic).reduce((most, number) => Math.max(most, number), -1);
  if (newer !== undefined && last >= 0) {
    ranges.push(rest(last + 1, newer));
    if (architecture === "arm") ranges.push(rest(ARM_PRIVATE));
  }
  return merged(ranges);
}

/** Of ranges with one start the last counts, and neighbours that say the same are one. */
export function merged(ranges: readonly Range[]): readonly Range[] {
  const found: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    if (found.at(-1)?.start === range.start) found.pop();
    append(found, range);
  }
  return found;
}

/** Unless it says the same as the last. */
function append(ranges: Range[], range: Range): void {
  const before = ranges.at(-1);
  if (before === undefined || !sayTheSame(before, range)) ranges.push(range);
}

function sayTheSame(one: Range, other: Range): boolean {
  const [answer, wanted] = [answerIn(one), answerIn(other)];
  if (answer !== undefined || wanted !== undefined) return answer === wanted;
  return one.rules === other.rules ? isAlike(one, other) : key(one) === key(other);
}

function isAlike(one: Range, other: Range): boolean {
  return one.wide === other.wide && one.otherwise === other.otherwise;
}

/** undefined: it depends on arguments. */
function answerIn({ rules, otherwise }: Range): number | undefined {
  const [first] = rules;
  if (first === undefined) return otherwise;
  return first.conditions.length === 0 ? first.answer : undefined;
}

/** What a range says of arguments, as text. */
function key({ rules, wide, otherwise }: Range): string {
  const texts = rules.map(({ conditions, answer }) => [
    answer,
    ...conditions.map(({ index, op, value, valueTwo }) => `${index}${op}${value},${valueTwo}`),
  ]);
  return `${texts.join(" ")} ${wide} ${otherwise}`;
}
