// The first words of an agent that serves.
import { type Config, describeConfig } from "./config.ts";
import { log, openLog, textOf } from "./log.ts";
import { API_VERSION, COMMIT_VERSION, FEATURE_LIST, VERSION } from "./version.ts";

/** What the agent was told, and what of that in vain. */
export type Told = {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Arguments that it does not understand. */
  readonly ignored: readonly string[];
};

/** Open the log, and say what this is and how it was told to be. What goes wrong from here on is in there. */
export function announce({ config, warnings, ignored }: Told): void {
  // A defect in one call must not end the pod.
  process.on("uncaughtException", (error) =>
    log.fatal("uncaught exception", { error: textOf(error) }),
  );
  process.on("unhandledRejection", (error) =>
    log.fatal("unhandled rejection", { error: textOf(error) }),
  );
  openLog(config);
  log.info("announce", {
    "agent-commit": COMMIT_VERSION,
    "agent-version": VERSION,
    "api-version": API_VERSION,
    config: describeConfig(config),
    "extra-features": FEATURE_LIST,
  });
  for (const argument of ignored) log.warn("argument ignored", { argument });
  for (const warning of warnings) log.warn(warning);
}
