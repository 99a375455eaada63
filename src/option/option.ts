// One thing that the agent can be told, by up to three names.
import type { Kind } from "./kind.ts";

export type Option<Value> = {
  /** On the kernel's command line. */
  readonly parameter?: string;
  /** In the agent's environment. */
  readonly variable?: string;
  /** In a TOML file, where it is not the parameter's name without `agent.`; null: not there. */
  readonly key?: string | null;
  readonly kind: Kind<Value>;
  readonly default: Value;
  /** What it does, as a line of the documentation. */
  readonly says: string;
  /** False: it is read and checked, and that is all this version does with it. */
  readonly acts: boolean;
};

/** What a table of options is applied to: it makes of each row the row's value. */
export type Read = <Value>(option: Option<Value>) => Value;

/** The names that options are known by in each of the three sources. */
export type Names = {
  readonly parameters: ReadonlySet<string>;
  readonly variables: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
};

export const PREFIX = "agent.";

export function keyOf({ parameter, key }: Option<never>): string | undefined {
  if (key !== undefined) return key ?? undefined;
  return parameter?.startsWith(PREFIX) === true ? parameter.slice(PREFIX.length) : undefined;
}
