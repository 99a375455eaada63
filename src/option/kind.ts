// What an option's value can be, and how each source writes it: process.md sections 1.4 and 1.5.
import { parseAddress } from "../ttrpc/address.ts";

/** How a value is read. `undefined` is never a value: it says that there is none in what was given. */
export type Kind<Value> = {
  /** What to give, for the documentation and for who gave something else. */
  readonly wants: string;
  /** From a kernel parameter or a variable. */
  readonly fromText: (text: string) => Value | undefined;
  /** From a TOML file. */
  readonly fromToml: (value: unknown) => Value | undefined;
  /** What a kernel parameter without `=` says. */
  readonly bare?: Value;
  /** As the documentation shows it. */
  readonly show: (value: Value) => string;
  /** A value may hold a password: no message repeats it. */
  readonly isSecret?: boolean;
};

/** Read from text, and from a TOML string in the same way. */
function textual(wants: string, fromText: (text: string) => string | undefined): Kind<string> {
  const fromToml = (value: unknown) => (typeof value === "string" ? fromText(value) : undefined);
  return { wants, fromText, fromToml, show: (value) => value };
}

const boolean = (value: unknown) => (typeof value === "boolean" ? value : undefined);

/** On when its name stands there alone. */
export const flag: Kind<boolean> = {
  wants: "no value",
  fromText: () => undefined,
  fromToml: boolean,
  bare: true,
  show: (value) => (value ? "on" : "off"),
};

export const bool: Kind<boolean> = {
  wants: "`true`, `false`, or a number that is not 0 for true",
  fromText: (text) => {
    if (text === "true" || text === "false") return text === "true";
    const number = wholeNumber(text, 0n, MAX_U64);
    return number === undefined ? undefined : number !== 0n;
  },
  fromToml: boolean,
  show: String,
};

/** True by its name alone, too. */
export const switchable: Kind<boolean> = { ...bool, bare: true };

/** True for one word. The others are meant for somebody else and are no mistake. */
export function is(only: string): Kind<boolean> {
  return {
    wants: `\`${only}\``,
    fromText: (given) => given === only,
    fromToml: () => undefined,
    bare: false,
    show: String,
  };
}

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** As Rust reads one: digits, with a sign if need be. */
function wholeNumber(text: string, least: bigint, most: bigint): bigint | undefined {
  if (!/^[+-]?[0-9]{1,40}$/.test(text)) return undefined;
  const number = BigInt(text.replace(/^\+/, ""));
  return number < least || number > most ? undefined : number;
}

/** Both ends belong to it. */
export function integer(least: number, most: number): Kind<number> {
  return {
    wants: `a whole number from ${least} to ${most}`,
    fromText: (text) => {
      const number = wholeNumber(text, BigInt(least), BigInt(most));
      return number === undefined ? undefined : Number(number);
    },
    fromToml: (value) => (isWhole(value) && value >= least && value <= most ? value : undefined),
    show: String,
  };
}

/** From 0 to `most`. A TOML file goes up to 2^53 only. */
export function big(most: bigint): Kind<bigint> {
  return {
    wants: `a whole number from 0 to ${most}`,
    fromText: (text) => wholeNumber(text, 0n, most),
    fromToml: (value) => (isWhole(value) && value >= 0 ? BigInt(value) : undefined),
    show: String,
  };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** A vsock port to listen on; 0 for none. Kata has them signed. */
export const port = integer(0, 0x7fff_ffff);

/** setTimeout takes 31 bits of milliseconds, which is 24 days, and fires at once for more. */
const LONGEST_MS = 0x7fff_ffff;

/** Milliseconds, given as seconds. */
export const seconds: Kind<number> = {
  wants: "whole seconds, at least 1",
  fromText: (text) => {
    const given = wholeNumber(text, 1n, MAX_U64);
    return given === undefined ? undefined : Math.min(Number(given) * 1000, LONGEST_MS);
  },
  fromToml: (value) => {
    const [secs, nanos] = durationOf(value);
    if (!isWhole(secs) || !isWhole(nanos) || secs < 0 || nanos < 0) return undefined;
    const milliseconds = Math.min(secs * 1000 + Math.ceil(nanos / 1e6), LONGEST_MS);
    return milliseconds === 0 ? undefined : milliseconds;
  },
  show: (milliseconds) => String(milliseconds / 1000),
};

/** `3`, `{ secs = 3, nanos = 0 }` or `[3, 0]`: the last two are how Kata's own agent wants it. */
function durationOf(value: unknown): readonly unknown[] {
  if (typeof value === "number") return [value, 0];
  if (Array.isArray(value)) return value.length === 2 ? value : [];
  if (typeof value !== "object" || value === null) return [];
  return "secs" in value && "nanos" in value ? [value.secs, value.nanos] : [];
}

export const text: Kind<string> = textual("text", (given) => (given === "" ? undefined : given));

/** Where to listen. */
export const address: Kind<string> = textual(
  "`vsock://cid:port`, `unix:///path` or `unix://@name`",
  (given) => {
    try {
      parseAddress(given);
      return given;
    } catch {
      // What it says is what `wants` says.
      return undefined;
    }
  },
);

/** A URL, with a path even where only `/` is left to say. */
export const url: Kind<string> = {
  ...textual("a URL", (given) => (URL.canParse(given) ? new URL(given).href : undefined)),
  isSecret: true,
};

/** One of several words, each standing for a value. */
export function word<Value extends string>(meanings: Readonly<Record<string, Value>>): Kind<Value> {
  const known = new Map(Object.entries(meanings));
  const fromText = (given: string) => known.get(given);
  return {
    wants: [...known.keys()].map((each) => `\`${each}\``).join(", "),
    fromText,
    fromToml: (value) => (typeof value === "string" ? fromText(value) : undefined),
    show: (value) => value,
  };
}
