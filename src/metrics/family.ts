// Metrics as Prometheus' text format 0.0.4 has them.

export type Labels = Readonly<Record<string, string>>;

export type Sample = {
  /** Behind the family's name: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
};

export type Family = {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** No two of them have the same suffix and labels: a reader refuses the whole text for it. */
  readonly samples: readonly Sample[];
};

/** A family of one number. */
export function gauge(name: string, help: string, value: number): Family {
  return { name, type: "gauge", help, samples: [{ labels: {}, value }] };
}

/**
 * A family of numbers that are told apart by `item` and by `labels`, as most of Kata's are. Of rows with the
 * same labels the first counts: a name that is not UTF-8 may read like another.
 */
export function items(
  name: string,
  help: string,
  rows: Iterable<readonly [labels: Labels, values: Readonly<Record<string, number>>]>,
): Family {
  const byLabels = new Map<string, readonly [Labels, Readonly<Record<string, number>>]>();
  for (const row of rows) {
    const key = JSON.stringify(row[0]);
    if (!byLabels.has(key)) byLabels.set(key, row);
  }
  const samples = [...byLabels.values()].flatMap(([labels, values]) =>
    Object.entries(values).map(([item, value]) => ({ labels: { ...labels, item }, value })),
  );
  return { name, type: "gauge", help, samples };
}

/** Families in the order of their names; one without samples is left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(textOf)
    .join("");
}

/** There are some 700 samples, so text grows piece by piece, without a list of the pieces. */
function textOf({ name, type, help, samples }: Family): string {
  let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const { suffix = "", labels, value } of samples) {
    text += `${name}${suffix}${braced(labels)} ${numberOf(value)}\n`;
  }
  return text;
}

function braced(labels: Labels): string {
  let pairs = "";
  for (const name in labels) {
    pairs += `${pairs === "" ? "{" : ","}${name}="${escape(labels[name] ?? "")}"`;
  }
  return pairs === "" ? "" : `${pairs}}`;
}

/** Names of disks and mounts may hold anything. */
function escape(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
