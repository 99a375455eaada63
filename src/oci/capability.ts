// Capabilities by name.
import { CAP } from "../linux/capability-names.ts";
import { invalidField } from "./invalid-spec.ts";

export type CapabilityName = (typeof CAP)[number];

/** With `CAP_` and without. */
const KNOWN = new Map<string, CapabilityName>(
  CAP.flatMap((name) => [[name, name] as const, [name.slice("CAP_".length), name] as const]),
);

/**
 * The name that `text` stands for. Runtimes write it with or without `CAP_`, and one of the two
 * Kata runtimes sends it as a JSON string, quotes included. Throws InvalidSpec.
 */
export function capabilityName(field: string, text: string): CapabilityName {
  const bare = text.startsWith('"') ? text.replace(/^"(.*)"$/s, "$1") : text;
  const name = KNOWN.get(bare);
  if (name === undefined) throw invalidField(field, text);
  return name;
}

/** Each once, however often it is named: a list of any length is a set of these few. */
export function capabilitySet(field: string, names: readonly string[]): readonly CapabilityName[] {
  return [...new Set(names.map((name) => capabilityName(field, name)))];
}
