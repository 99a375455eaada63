// Conditions on arguments: an argument has 64 bits, and BPF compares 32 at a time.
import { SECCOMP_DATA } from "../linux/seccomp.ts";
import type { SeccompArg } from "../oci/seccomp.ts";
import type { Assembler, Place } from "./assembler.ts";

/** Where to go on: if a condition holds, and if not. */
export type Ways = { readonly yes: Place; readonly no: Place };

/** `wide`: the architecture's arguments have 64 bits. Else the high halves say nothing. */
export function compileCondition(
  into: Assembler,
  condition: SeccompArg,
  ways: Ways,
  wide: boolean,
): Place {
  const { index, value, valueTwo, op } = condition;
  const argument = { into, at: SECCOMP_DATA.args + 8 * index, wide };
  const opposite = { yes: ways.no, no: ways.yes };
  switch (op) {
    case "SCMP_CMP_EQ":
      return maskedEqual(argument, ALL, value, ways);
    case "SCMP_CMP_NE":
      return maskedEqual(argument, ALL, value, opposite);
    case "SCMP_CMP_MASKED_EQ":
      return maskedEqual(argument, value, valueTwo, ways);
    case "SCMP_CMP_GT":
      return greater(argument, "JGT", value, ways);
    case "SCMP_CMP_GE":
      return greater(argument, "JGE", value, ways);
    case "SCMP_CMP_LE":
      return greater(argument, "JGT", value, opposite);
    case "SCMP_CMP_LT":
      return greater(argument, "JGE", value, opposite);
  }
}

type Argument = { readonly into: Assembler; readonly at: number; readonly wide: boolean };

const ALL = (1n << 64n) - 1n;
const WORD = 0xffff_ffff;

const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn);

/** Bits of the comparand outside the mask do not count. */
function maskedEqual(argument: Argument, mask: bigint, value: bigint, ways: Ways): Place {
  const { into, at, wide } = argument;
  const wanted = value & mask;
  const lower = half(into, at, low(mask), low(wanted), ways);
  if (!wide) return lower;
  return half(into, at + 4, high(mask), high(wanted), { yes: lower, no: ways.no });
}

function half(into: Assembler, at: number, mask: number, wanted: number, ways: Ways): Place {
  if (mask === 0) return ways.yes;
  const compared = into.jump("JEQ", wanted, ways.yes, ways.no);
  return into.load(at, mask === WORD ? compared : into.and(mask, compared));
}

/** A greater high half decides, a smaller one too; between equal ones the low halves do. */
function greater(argument: Argument, last: "JGT" | "JGE", value: bigint, ways: Ways): Place {
  const { into, at, wide } = argument;
  const lower = into.load(at, into.jump(last, low(value), ways.yes, ways.no));
  if (!wide) return lower;
  const equal = into.jump("JEQ", high(value), lower, ways.no);
  return into.load(at + 4, into.jump("JGT", high(value), ways.yes, equal));
}
