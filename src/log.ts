// One JSON object a line, every value a string: the form that Kata's runtimes and log parser read
// (process.md section 2.6).
import { createConsola } from "consola";
import { NAME, VERSION } from "./version.ts";

/** consola's levels, in Kata's words. */
const LEVELS: Readonly<Record<string, string>> = {
  fatal: "CRIT",
  error: "ERRO",
  warn: "WARN",
  info: "INFO",
  debug: "DEBG",
  trace: "TRCE",
};

/** `log.info("text", { key: "value" })` */
export const log = createConsola({
  reporters: [
    {
      log({ type, date, args, tag }) {
        const [message, fields] = args;
        const record = {
          msg: String(message),
          level: LEVELS[type] ?? "INFO",
          ts: date.toISOString(),
          name: NAME,
          pid: String(process.pid),
          source: "agent",
          subsystem: tag || "rpc",
          version: VERSION,
          ...(fields as Readonly<Record<string, string>> | undefined),
        };
        process.stdout.write(`${JSON.stringify(record)}\n`);
      },
    },
  ],
});
