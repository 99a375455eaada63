// Something that takes what others have written, and what it may say of it.
import { AgentError } from "../../src/error.ts";
import { KernelError } from "../../src/linux/error.ts";
import { InvalidSpec } from "../../src/oci/invalid-spec.ts";
import { TapeTooLong } from "../../src/tape/tape.ts";
import { DecodeError } from "../../src/ttrpc/protobuf.ts";
import { StatusError } from "../../src/ttrpc/status.ts";
import { type Random, mutate } from "./mutate.ts";

export type Target = {
  readonly name: string;
  /** One try. What it throws is judged by `isRefusal`. */
  readonly run: (random: Random) => unknown;
};

const REFUSALS = [AgentError, KernelError, InvalidSpec, TapeTooLong, DecodeError, StatusError];

/** False for what nobody threw on purpose: a defect. */
export function isRefusal(error: unknown): boolean {
  // A plain Error has words of ours; TypeError, RangeError and the like have the language's.
  return (
    REFUSALS.some((type) => error instanceof type) ||
    (error instanceof Error && error.constructor === Error)
  );
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
