// What a protobuf scalar says. proto3 sends no difference between a zero, an empty string or an
// empty list and a field that is not set, so these read as absent.
import { invalidField } from "./invalid-spec.ts";

export function text(value: string): string | undefined {
  return value === "" ? undefined : value;
}

export function list<Item, Result>(
  values: readonly Item[],
  convert: (value: Item, index: number) => Result,
): readonly Result[] | undefined {
  return values.length === 0 ? undefined : values.map(convert);
}

export function texts(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values;
}

export function map(
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  return Object.keys(values).length === 0 ? undefined : values;
}

/** Throws InvalidSpec for what a JavaScript number cannot hold exactly. */
export function integer(field: string, value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalidField(field, String(value));
  return number;
}

/** Zero is not set. */
export function count(field: string, value: bigint): number | undefined {
  return value === 0n ? undefined : integer(field, value);
}

/**
 * Zero is not set, any negative number is −1. A limit past 2^53 is one that no guest can reach and
 * hosts send it to mean "no limit", so it is cut, not refused.
 */
export function limit(value: bigint): number | undefined {
  if (value === 0n) return undefined;
  return value < 0n ? -1 : saturated(value);
}

export function saturated(value: bigint): number {
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}
