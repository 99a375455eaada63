// A limit as what is written for it: the value, the file, and the field of the spec that asks for it.
import type { ErrnoName } from "../linux/errno.ts";
import { numbersOf } from "../linux/number-list.ts";

export type LimitWrite = {
  /** Below `linux.resources`, as in config.json. */
  readonly field: string;
  /** Of the controller that the name begins with. */
  readonly file: string;
  readonly value: string;
  /** What the kernel may answer when it has no such limit any more. */
  readonly tolerated?: readonly ErrnoName[];
  /** How the kernel shows it: bytes cut to pages of `page`, or a list of numbers and ranges. */
  readonly readBack?:
    | { readonly kind: "size"; readonly page: number }
    | { readonly kind: "list" }
    | { readonly kind: "number" };
};

/** The cgroup as it is: the order of writes depends on it, and which files there are. */
export type CgroupFiles = {
  /** undefined: the kernel has no such file. */
  readonly read: (file: string) => string | undefined;
  /** Of the huge pages that the kernel has: `2MB`. */
  readonly pageSizes: readonly string[];
};

/** Page size of the kernel that has the largest. */
const LARGEST_PAGE = 64 << 10;

/** Limits of memory are cut to whole pages. */
export const WHOLE_PAGES = { kind: "size", page: LARGEST_PAGE } as const;

/** Whatever cannot be counted to the byte is no limit: hosts send the largest numbers they have. */
export function isUnlimited(limit: number): boolean {
  return limit < 0 || limit >= Number.MAX_SAFE_INTEGER;
}

/** Zero in a spec is not set, where it does not mean anything. */
export function given(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

/** Whether the kernel shows what was written. */
export function isTaken({ value, readBack }: LimitWrite, shown: string): boolean {
  if (readBack === undefined) return true;
  if (readBack.kind === "list") return sameSet(numbersOf(value), numbersOf(shown.trim()));
  if (readBack.kind === "number") return Number(value) === Number(shown);
  if (value === "max" || isUnlimited(Number(value))) return unlimitedIn(shown);
  const wanted = Number(value);
  const got = Number(shown);
  return shown.trim() !== "" && got <= wanted && wanted - got < readBack.page;
}

/** v2 says `max`, v1 the last page that an address can have: 2^63 − 1, cut. */
function unlimitedIn(shown: string): boolean {
  return shown.trim() === "max" || Number(shown) >= Number.MAX_SAFE_INTEGER - LARGEST_PAGE;
}

function sameSet(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
