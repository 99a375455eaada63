// Print a call the way strace does.
import { AT } from "./constants.ts";
import { type Arg, type Call, Reg } from "./call.ts";
import type { Kind, NameTable } from "./kind.ts";
import { O } from "./open-flags.ts";
import { type StructValue, layoutOf } from "./struct.ts";
import { argumentKinds } from "./table.ts";

export function formatCall(call: Call): string {
  const kinds = argumentKinds(call.name);
  return `${call.name}(${call.args.map((arg, i) => formatArg(arg, kinds[i])).join(", ")})`;
}

function formatArg(arg: Arg, kind: Kind | undefined): string {
  if (arg === null) return "NULL";
  if (arg instanceof Reg) return `r${arg.index}`;
  if (arg instanceof Uint8Array)
    return kind?.as === "data" ? `<${arg.length} bytes>` : formatBytes(arg);
  if (typeof arg === "string") return JSON.stringify(arg);
  if (typeof arg === "number" || typeof arg === "bigint") return formatNumber(arg, kind);
  if ("struct" in arg) return formatStruct(arg);
  const shown = kind?.as === "environment" ? arg.map(withoutValue) : arg;
  return `[${shown.map((item) => JSON.stringify(item)).join(", ")}]`;
}

/** A listing goes into the log, and the environment is where programs are told their passwords. */
function withoutValue(entry: string): string {
  return entry.replace(/=.*$/s, "=…");
}

function formatNumber(word: number | bigint, kind: Kind | undefined): string {
  const number = Number(word);
  switch (kind?.as) {
    case "fd":
      return number === AT.FDCWD ? "AT_FDCWD" : number === 0xffffffff ? "~0U" : String(word);
    case "octal":
      return number === 0 ? "0" : `0${number.toString(8)}`;
    case "hex":
      return `0x${word.toString(16)}`;
    case "pointer":
      return number === 0 ? "NULL" : `0x${word.toString(16)}`;
    case "open flags":
      return formatOpenFlags(number);
    case "flags":
      return formatFlags(BigInt(word), kind.prefix, kind.names);
    case "value":
      return formatValue(number, kind.prefix, kind.names);
    default:
      return String(word);
  }
}

/** Text if it is text, as strace shows a buffer; else its length. */
function formatBytes(bytes: Uint8Array): string {
  const printable = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a);
  if (!printable || bytes.length > 64) return `<${bytes.length} bytes>`;
  return JSON.stringify(String.fromCharCode(...bytes));
}

function formatStruct(value: StructValue): string {
  const named = layoutOf(value.struct, "x86_64").fields.flatMap(({ name, kind }) => {
    const word = value.fields[name];
    if (word === undefined) return [];
    return [`${name}=${word instanceof Uint8Array ? formatBytes(word) : formatNumber(word, kind)}`];
  });
  return `{${named.join(", ")}}`;
}

/** `RDONLY` is the absence of bits, so it is named when no other access mode is. */
function formatOpenFlags(flags: number): string {
  const { RDONLY: _, ...bits } = O;
  const access = (flags & (O.WRONLY | O.RDWR | O.PATH)) === 0 ? ["O_RDONLY"] : [];
  const rest = formatFlags(BigInt(flags), "O_", bits);
  return rest === "0" ? "O_RDONLY" : [...access, rest].join("|");
}

/** A bit set by name, the rest in hex, nothing as 0. */
export function formatFlags(flags: bigint, prefix: string, names: NameTable): string {
  const found: string[] = [];
  let rest = flags;
  for (const [name, bit] of Object.entries(names)) {
    const bits = BigInt(bit);
    if (bits <= 0n || (rest & bits) !== bits) continue;
    found.push(prefix + name);
    rest &= ~bits;
  }
  if (rest !== 0n) found.push(`0x${rest.toString(16)}`);
  return found.join("|") || "0";
}

function formatValue(value: number, prefix: string, names: NameTable): string {
  const found = Object.entries(names).find(([, number]) => number === value);
  return found === undefined ? String(value) : prefix + found[0];
}
