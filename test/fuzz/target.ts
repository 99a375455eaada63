// Something that takes what others have written, and what it may say of it.
import { type Random, mutate } from "./mutate.ts";

export type Target = {
  readonly name: string;
  /** One try. What it throws is judged by `isRefusal`. */
  readonly run: (random: Random) => unknown;
  /** Of the time, where it is more than others have: a whole way instead of one step of it. */
  readonly shares?: number;
};

/** What the language throws, and nobody here on purpose. */
const DEFECTS = [TypeError, RangeError, SyntaxError, ReferenceError, URIError];

export function isRefusal(error: unknown): boolean {
  return error instanceof Error && !DEFECTS.some((type) => error instanceof type);
}

/** Changes of `seeds`, as bytes. */
export function ofBytes(
  name: string,
  seeds: readonly Uint8Array[],
  parse: (bytes: Uint8Array) => unknown,
): Target {
  return { name, run: (random) => parse(mutate(random, seeds)) };
}

/** Changes of `seeds`, as text with whatever is no UTF-8 replaced. */
export function ofText(
  name: string,
  seeds: readonly string[],
  parse: (text: string) => unknown,
): Target {
  const bytes = seeds.map((seed) => new TextEncoder().encode(seed));
  return ofBytes(name, bytes, (changed) => parse(new TextDecoder().decode(changed)));
}
