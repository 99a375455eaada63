// What a request from the host can be refused for before anything is done for it.

/** A spec, or a part of one, that breaks a rule. The message says which field and why. */
export class InvalidSpec extends Error {
  override name = "InvalidSpec";
}

/** Long values are cut: an error travels to the host and into the log, a spec may be megabytes. */
const LONGEST_QUOTE = 200;

/** A value of the host, quoted and on one line whatever it holds. */
export function quote(value: string): string {
  const shown = value.length > LONGEST_QUOTE ? `${value.slice(0, LONGEST_QUOTE)}…` : value;
  return JSON.stringify(shown);
}

/** The error for a value that a field does not take; rpc.md section 7 fixes the text. */
export function invalidField(field: string, value: string): InvalidSpec {
  return new InvalidSpec(`invalid ${field}: ${quote(value)}`);
}

/** `value` if it is one of `names`. Throws InvalidSpec. */
export function oneOf<const Name extends string>(
  names: readonly Name[],
  field: string,
  value: string,
): Name {
  const found = names.find((name) => name === value);
  if (found === undefined) throw invalidField(field, value);
  return found;
}
