// The options as a document: docs/configuration.md is this text, and a test holds it to that.
import { type Option, keyOf } from "./option.ts";

const INTRODUCTION = `# Configuration

What the agent can be told. This file is printed from the rows of [src/config.ts](../src/config.ts); after a change
there: \`UPDATE_DOCS=1 bun test test/unit/config.test.ts\`.

## Where

| source                    | how                                                                           |
| ------------------------- | ----------------------------------------------------------------------------- |
| the kernel's command line | \`agent.log=debug\`, divided by blanks; there is no quoting                     |
| the environment           | \`KATA_AGENT_LOG_LEVEL=debug\`; as PID 1 the kernel's words with \`=\` and no dot |
| a TOML file               | \`log_level = "debug"\`, at the top level                                       |

- With \`--config FILE\` (\`-c FILE\`, \`--config=FILE\`) the file counts, and the environment over it. The kernel's command
  line is not heeded.
- With \`agent.config_file=FILE\` on the kernel's command line the file counts, and nothing else.
- Otherwise the kernel's command line counts, the last of several words for one option, and the environment over it.

These are the rules of Kata's own agent. A file that cannot be read, is larger than 1 MiB or is no TOML counts as if
nobody had named it. What is no value of its option counts as if it had not been said. For both, for names like these
that are none, and for what is passed over by the rules above, there is a warning in the log. None of it keeps the agent
from starting.

## Options

In a TOML file an option has its name without \`agent.\`, unless the table says another. There a yes or no is \`true\` or
\`false\`, a number is a number of at most 2^53 - 1, and seconds are a number, \`{ secs = 3, nanos = 0 }\` or \`[3, 0]\`.
What does not act yet is read and checked, and there is a warning where it is not the default.

`;

/** The document for these rows, in their order. */
export function documentOf(rows: readonly (readonly string[])[]): string {
  const head = ["option", "value", "default", "acts", "what it does"];
  return `${INTRODUCTION}${table([head, ...rows])}`;
}

/** One option as a row of the table. */
export function rowOf<Value>(option: Option<Value>): readonly string[] {
  const { kind, acts, says } = option;
  const shown = kind.show(option.default);
  return [
    namesOf(option),
    kind.wants,
    shown === "" ? "none" : `\`${shown}\``,
    acts ? "yes" : "not yet",
    says,
  ];
}

function namesOf<Value>(option: Option<Value>): string {
  const { parameter, variable, key } = option;
  const names = [parameter, variable].filter((name) => name !== undefined);
  const inToml =
    key === null ? "not in TOML" : key === undefined ? [] : `TOML \`${keyOf(option)}\``;
  return [...names.map((name) => `\`${name}\``), ...[inToml].flat()].join(", ");
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |\n`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  const [first = "", ...rest] = rows.map(line);
  return [first, rule, ...rest].join("");
}
