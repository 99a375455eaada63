// Capabilities by name.
import { CAP } from "../linux/constants.ts";
import { invalidField } from "./invalid-spec.ts";

export type CapabilityName = (typeof CAP)[number];

/**
 * The name that `text` stands for. Runtimes write it with or without `CAP_`, and one of the two
 * Kata runtimes sends it as a JSON string, quotes included. Throws InvalidSpec.
 */
export function capabilityName(field: string, text: string): CapabilityName {
  const bare = text.replace(/^"(.*)"$/s, "$1");
  const name = CAP.find((known) => known === bare || known === `CAP_${bare}`);
  if (name === undefined) throw invalidField(field, text);
  return name;
}

/** Each once, however often it is named: a list of any length is a set of these few. */
export function capabilitySet(field: string, names: readonly string[]): readonly CapabilityName[] {
  return [...new Set(names.map((name) => capabilityName(field, name)))];
}
