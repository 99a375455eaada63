// What becomes of what the agent is told.
import { readConfig } from "../../../src/config.ts";
import type { ConfigFile, Sources } from "../../../src/option/sources.ts";

/** What is not given is empty. */
export const read = (sources: Partial<Sources>) =>
  readConfig({ commandLine: "", environment: {}, ...sources });

export const { config: DEFAULTS } = read({});

export function file(
  content: ConfigFile["content"],
  by: ConfigFile["by"] = "argument",
): ConfigFile {
  return { path: "/etc/agent.toml", by, content };
}
