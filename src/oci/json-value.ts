// Decoders from parsed JSON to typed values. Each is given where the value stands, so that an
// error reads `process.args: expected an array of strings`. null is absent, as Go writes it.
import { InvalidSpec, oneOf, quote } from "./invalid-spec.ts";

/** `path` names the value in errors. Throws InvalidSpec. */
export type Decode<Value> = (value: unknown, path: string) => Value;

export type Fields<Value> = { readonly [Key in keyof Value]-?: Decode<Value[Key]> };

export const text: Decode<string> = (value, path) => {
  if (typeof value !== "string") throw expected("a string", path);
  return value;
};

export const flag: Decode<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw expected("true or false", path);
  return value;
};

/** Whole numbers from `least` to `most`, inclusive. */
export function integer(least: number, most: number): Decode<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
      throw expected(`a whole number from ${least} to ${most}`, path);
    return value;
  };
}

export const int: Decode<number> = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
export const unsigned: Decode<number> = integer(0, Number.MAX_SAFE_INTEGER);
export const u16: Decode<number> = integer(0, 2 ** 16 - 1);
export const u32: Decode<number> = integer(0, 2 ** 32 - 1);

export const u64: Decode<bigint> = (value, path) => {
  const whole = typeof value === "bigint" ? value : BigInt(unsigned(value, path));
  if (whole < 0n || whole >= 2n ** 64n) throw expected("an unsigned 64-bit number", path);
  return whole;
};

/** Negative is −1, no limit; past 2^53 is cut, since nothing reaches it. */
export const limit: Decode<number> = (value, path) => {
  if (typeof value === "bigint") return value < 0n ? -1 : Number.MAX_SAFE_INTEGER;
  return Math.max(int(value, path), -1);
};

export function word<const Name extends string>(names: readonly Name[]): Decode<Name> {
  return (value, path) => oneOf(names, path, text(value, path));
}

export function optional<Value>(decode: Decode<Value>): Decode<Value | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : decode(value, path));
}

/** Text that is there: the empty string is absent, as it is on the wire. */
export const given: Decode<string | undefined> = (value, path) =>
  optional(text)(value, path) || undefined;

/** `items` names them in the plural: `strings`. */
export function array<Item>(decode: Decode<Item>, items: string): Decode<readonly Item[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw expected(`an array of ${items}`, path);
    return value.map((item: unknown, index) => decode(item, `${path}[${index}]`));
  };
}

export const texts: Decode<readonly string[]> = array(text, "strings");

/** An object whose keys are data. */
export function record<Value>(decode: Decode<Value>): Decode<Readonly<Record<string, Value>>> {
  return (value, path) =>
    Object.fromEntries(
      Object.entries(members(value, path)).map(([key, member]) => [
        key,
        decode(member, `${path}[${JSON.stringify(key)}]`),
      ]),
    );
}

/** An object with the given fields; others are ignored, as the OCI spec demands. */
export function object<Value extends object>(fields: Fields<Value>): Decode<Value> {
  return (value, path) => {
    const values = members(value, path);
    // Empty only until the loop has put every field in its place; no type can say that.
    const decoded = {} as Value;
    for (const key in fields) {
      const field = fields[key](values[key], path === "" ? key : `${path}.${key}`);
      if (field !== undefined) decoded[key] = field;
    }
    return decoded;
  };
}

/** The same, for a document that may have no others. */
export function closed<Value extends object>(fields: Fields<Value>): Decode<Value> {
  const decode = object(fields);
  return (value, path) => {
    const unknown = Object.keys(members(value, path)).find((key) => !Object.hasOwn(fields, key));
    if (unknown !== undefined) throw new InvalidSpec(`${path}: unknown field ${quote(unknown)}`);
    return decode(value, path);
  };
}

function members(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw expected("an object", path);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(what: string, path: string): InvalidSpec {
  return new InvalidSpec(`${path === "" ? "config" : path}: expected ${what}`);
}
