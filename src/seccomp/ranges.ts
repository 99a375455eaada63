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
  const ranges: Range[] = [rest(0)];
  for (const [number, rules] of [...byNumber].toSorted(([a], [b]) => a - b)) {
    ranges.push({ start: number, rules, wide, otherwise }, rest(number + 1));
  }
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
    const before = found.at(-1);
    if (before === undefined || key(before) !== key(range)) found.push(range);
  }
  return found;
}

/** What a range says, as text: its answer, or its rules if they have conditions. */
function key({ rules, wide, otherwise }: Range): string {
  const [first] = rules;
  if (first === undefined) return String(otherwise);
  if (first.conditions.length === 0) return String(first.answer);
  const texts = rules.map(({ conditions, answer }) => [
    answer,
    ...conditions.map(({ index, op, value, valueTwo }) => `${index}${op}${value},${valueTwo}`),
  ]);
  return `${texts.join(" ")} ${wide} ${otherwise}`;
}
