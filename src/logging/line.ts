// One JSON object a line, every value a string: the form that Kata's runtimes and log parser read
// (process.md section 2.6).
import { NAME, VERSION } from "../version.ts";

/** How bad it is, worst first: consola's words. */
export const TYPES = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type Type = (typeof TYPES)[number];

/** Kata's words for them, in a line. */
export const CODES: Readonly<Record<Type, string>> = {
  fatal: "CRIT",
  error: "ERRO",
  warn: "WARN",
  info: "INFO",
  debug: "DEBG",
  trace: "TRCE",
};

/** What a line says beside its message. */
export type Fields = Readonly<Record<string, string>>;

export type Entry = {
  readonly type: Type;
  readonly date: Date;
  readonly pid: number;
  /** The area of the agent that it is about. */
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Fields;
};

/** In UTF-16 units: the listing of a long tape. */
const LONGEST_VALUE = 32 << 10;
/** In bytes. The Go runtime reads the console by a scanner that stops for good at a line of 64 KiB. */
const LONGEST_LINE = 60_000;
/** What each value keeps of a line that is too long even so, full of characters that JSON escapes. */
const KEPT = 500;

/** The line with its newline. */
export function lineOf({ type, date, pid, subsystem, message, fields }: Entry): string {
  const own = {
    msg: message,
    level: CODES[type],
    ts: date.toISOString(),
    version: VERSION,
    source: "agent",
    name: NAME,
    pid: String(pid),
    subsystem,
  };
  // They come first, and no field takes the place of one: readers go by them.
  const record = { ...own, ...fields, ...own };
  // Of three bytes each, which is the most, so many characters are a line, and none needs to be cut.
  const plain = `${JSON.stringify(record)}\n`;
  if (plain.length <= LONGEST_LINE / 3) return plain;
  const line = json(record, LONGEST_VALUE);
  return Buffer.byteLength(line) <= LONGEST_LINE ? line : json(record, KEPT);
}

function json(record: Fields, longest: number): string {
  const cut = (_: string, value: unknown) =>
    typeof value === "string" && value.length > longest ? `${value.slice(0, longest)}…` : value;
  return `${JSON.stringify(record, cut)}\n`;
}
