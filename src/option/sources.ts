// Where options are told, and which source comes before which: process.md section 1.3.
import { type Parameter, parametersOf } from "./parameters.ts";

export type ConfigFile = {
  readonly path: string;
  /** Who named it: the agent's own arguments, or the kernel's command line. */
  readonly by: "argument" | "parameter";
  readonly content: Readonly<Record<string, unknown>>;
};

export type Sources = {
  /** The text of /proc/cmdline. */
  readonly commandLine: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file that was named and could be read. */
  readonly file?: ConfigFile | undefined;
};

/** What counts, each overruling those before it. */
export type Given = {
  readonly file: ConfigFile | undefined;
  readonly parameters: readonly Parameter[];
  readonly variables: ReadonlyMap<string, string>;
};

const NOTHING: Given = { file: undefined, parameters: [], variables: new Map() };

/**
 * A file that an argument names stands in for the kernel's command line. One that the command line
 * names stands in for everything.
 */
export function select({ commandLine, environment, file }: Sources): {
  readonly counts: Given;
  readonly passedOver: Given;
} {
  const parameters = parametersOf(commandLine);
  const variables = new Map(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  );
  if (file === undefined) {
    return { counts: { ...NOTHING, parameters, variables }, passedOver: NOTHING };
  }
  if (file.by === "argument") {
    return {
      counts: { ...NOTHING, file, variables },
      passedOver: { ...NOTHING, parameters },
    };
  }
  return {
    counts: { ...NOTHING, file },
    passedOver: { ...NOTHING, parameters, variables },
  };
}
