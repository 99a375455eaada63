// The agent's log: consola, with one reporter that writes Kata's lines. `log.info("text", { key:
// "value" })`; each area has a logger of its own, `log.withTag("rpc")`. What environments, streams and
// files of containers hold is never given to it.
import { type LogObject, createConsola } from "consola/core";
import { within } from "./async/timeout.ts";
import type { Config } from "./config.ts";
import { listenOn } from "./kernel/listener.ts";
import { STDERR, STDOUT, openOutput, writeLastWords } from "./kernel/output.ts";
import { LineOutput } from "./logging/line-output.ts";
import { LineRing } from "./logging/line-ring.ts";
import { CODES, type Fields, TYPES, type Type, lineOf } from "./logging/line.ts";
import { serveReaders } from "./logging/log-port.ts";
import { parseAddress } from "./ttrpc/address.ts";

export type Logger = {
  readonly [type in Type]: (message: string, fields?: Fields) => void;
} & { readonly withTag: (subsystem: string) => Logger };

/** Kata's words for how much is logged: the least bad that still is. */
const LOGGED: Readonly<Record<Config["logLevel"], Type>> = {
  critical: "fatal",
  error: "error",
  warning: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

const ring = new LineRing();
const output = new LineOutput(ring, (count) => {
  const fields = { lines: String(count) };
  return lineOf({ ...entry("warn", "log", "lines were dropped"), fields });
});
/** By Kata's word for it, whether or not it is logged. */
const alarms: Record<string, number> = { [CODES.fatal]: 0, [CODES.error]: 0, [CODES.warn]: 0 };
let logged: Type = "info";
/** By the configuration. */
let told: Type = logged;
let isOnStdout = false;

export const log: Logger = createConsola({
  // Decided by `report`, so that loggers made before the level is known obey it, too.
  level: Number.POSITIVE_INFINITY,
  // No line is held back because others are like it.
  throttle: Number.NEGATIVE_INFINITY,
  reporters: [{ log: report }],
});

/** For what costs more to say than to leave unsaid. */
export function isLogged(type: Type): boolean {
  return TYPES.indexOf(type) <= TYPES.indexOf(logged);
}

function report({ type, tag, args: [message, fields] }: LogObject): void {
  const kind = TYPES.find((each) => each === type) ?? "info";
  const alarm = alarms[CODES[kind]];
  if (alarm !== undefined) alarms[CODES[kind]] = alarm + 1;
  if (!isLogged(kind)) return;
  ring.add(lineOf({ ...entry(kind, tag || "root", String(message)), fields: { ...fields } }));
  output.flush();
}

function entry(type: Type, subsystem: string, message: string) {
  return { type, subsystem, message, date: new Date(), pid: process.pid };
}

/** How often something was said to be wrong: CRIT for what nobody foresaw, ERRO, WARN. */
export function alarmCounts(): Readonly<Record<string, number>> {
  return alarms;
}

/** Log all that helps to find out, or less where that is what was told; and again as was told. */
export function switchLevel(): void {
  const other = TYPES.indexOf(told) < TYPES.indexOf("debug") ? "debug" : "info";
  logged = logged === told ? other : told;
  ring.add(lineOf({ ...entry("info", "log", "level"), fields: { level: CODES[logged] } }));
  output.flush();
}

/** What was logged last, the newest line at the end. */
export function recentLines(): readonly string[] {
  return ring.recent();
}

/** Until this is called, lines are kept. Where the port cannot be had, they go to stdout instead. */
export function openLog({ logLevel, logPort }: Pick<Config, "logLevel" | "logPort">): void {
  told = LOGGED[logLevel];
  logged = told;
  if (logPort === 0) return writeToStdout();
  try {
    const name = `vsock://-1:${logPort}`;
    const listener = listenOn(parseAddress(name), name);
    serveReaders(listener, output).catch(withoutPort);
  } catch (error) {
    withoutPort(error);
  }
}

function withoutPort(error: unknown): void {
  writeToStdout();
  log.withTag("log").warn("no log port", { error: String(error) });
}

function writeToStdout(): void {
  try {
    output.attach(openOutput(STDOUT));
    isOnStdout = true;
  } catch (error) {
    // Then the lines stay where `recentLines` finds them.
    log.withTag("log").warn("no stdout", { error: String(error) });
  }
}

/** Wait until the lines are written, but no longer than so many milliseconds. */
export async function drainLog(budgetMs: number): Promise<void> {
  await within(output.drained(), budgetMs);
}

/** Say why the agent ends, at once: on stderr as well, unless stdout has taken it. */
export function dying(message: string, error: unknown): void {
  log.fatal(message, { error: textOf(error) });
  if (isOnStdout && output.isDrained) return;
  const fields = { error: textOf(error) };
  const lastWords = lineOf({ ...entry("fatal", "root", message), fields });
  try {
    writeLastWords(openOutput(STDERR), lastWords);
  } catch {
    // Nobody is there to hear it.
  }
}

/** An error with where it was made, for those that nobody foresaw. */
export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
