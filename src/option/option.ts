// One thing that the agent can be told, by up to three names.
import type { Kind } from "./kind.ts";

export type Named = {
  /** On the kernel's command line. */
  readonly parameter?: string;
  /** In the agent's environment. */
  readonly variable?: string;
  /** In a TOML file, where it is not the parameter's name without `agent.`; null: not there. */
  readonly key?: string | null;
};

export type Option<Value> = Named & {
  readonly kind: Kind<Value>;
  readonly default: NoInfer<Value>;
  /** What it does, as the documentation says it. */
  readonly says: string;
  /** False: it is read and checked, and that is all this version does with it. */
  readonly acts: boolean;
};

/** What a table of options is applied to: it makes of each row the row's value. */
export type Read = <Value>(option: Option<Value>) => Value;

export const PREFIX = "agent.";

/** The one parameter that is not about the agent but about where to read. */
export const CONFIG_FILE = "agent.config_file";

/** The option's name in a TOML file. */
export function keyOf({ parameter, key }: Named): string | undefined {
  if (key !== undefined) return key ?? undefined;
  return parameter?.startsWith(PREFIX) === true ? parameter.slice(PREFIX.length) : undefined;
}
