// The configuration as this machine has it: where the sources are read that config.ts makes sense of.
import { type Config, configFileIn, readConfig } from "./config.ts";
import { readText } from "./kernel/file.ts";
import { readToml } from "./kernel/toml-file.ts";

/** `configFile` is what the agent's arguments name. Never throws: what cannot be read is a warning. */
export function loadConfig(configFile: string | undefined): {
  readonly config: Config;
  readonly warnings: readonly string[];
} {
  const unread: string[] = [];
  const tried = <Text>(read: () => Text): Text | undefined => {
    try {
      return read();
    } catch (error) {
      unread.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  const commandLine = tried(() => readText("/proc/cmdline")) ?? "";
  const path = configFile ?? configFileIn(commandLine);
  const content = path === undefined ? undefined : tried(() => readToml(path));
  const by = configFile === undefined ? "parameter" : "argument";
  const file =
    path === undefined || content === undefined ? undefined : ({ path, by, content } as const);
  const { config, warnings } = readConfig({ commandLine, environment: process.env, file });
  return { config, warnings: [...unread, ...warnings] };
}
