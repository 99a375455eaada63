// How an argument is written for the kernel and shown to a person.

/** Names of bits or values, by kernel name without the prefix. */
export type NameTable = Readonly<Record<string, number>>;

export type Kind =
  | {
      readonly as:
        "fd" | "path" | "string" | "int" | "hex" | "octal" | "bytes" | "data" | "pointer";
    }
  | { readonly as: "strings" | "environment" | "struct" }
  | { readonly as: "flags" | "value"; readonly prefix: string; readonly names: NameTable }
  | { readonly as: "open flags" };

export const fd: Kind = { as: "fd" };
export const path: Kind = { as: "path" };
export const string: Kind = { as: "string" };
export const int: Kind = { as: "int" };
export const hex: Kind = { as: "hex" };
export const octal: Kind = { as: "octal" };
export const bytes: Kind = { as: "bytes" };
/** What somebody stores, which is nobody's business: only its length is shown. */
export const data: Kind = { as: "data" };
export const pointer: Kind = { as: "pointer" };
export const strings: Kind = { as: "strings" };
/** Strings `NAME=value`, whose values are nobody's business: only the names are shown. */
export const environment: Kind = { as: "environment" };
export const struct: Kind = { as: "struct" };

/** O_* bits: their values differ between architectures, see `openFlagsFor`. */
export const openFlags: Kind = { as: "open flags" };

/** A set of bits, shown by name. */
export function flags(prefix: string, names: NameTable): Kind {
  return { as: "flags", prefix, names };
}

/** One of a list of values, shown by name. */
export function value(prefix: string, names: NameTable): Kind {
  return { as: "value", prefix, names };
}
