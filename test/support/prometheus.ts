// Prometheus' own reading of metrics, by its client library for Python.
import { existsSync } from "node:fs";
import { join } from "node:path";

const PYTHON = "/usr/bin/python3";
const LIBRARY = "/usr/lib/python3/dist-packages/prometheus_client";

/** What it lacks here; undefined if nothing. */
export const noPrometheus = existsSync(LIBRARY)
  ? undefined
  : "Debian's package python3-prometheus-client";

export type ReadSample = {
  /** A family's, with `_bucket` and the like behind it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type ReadFamily = {
  /** Of a counter without `_total`. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ReadSample[];
};

type Printed = Omit<ReadFamily, "samples"> & {
  readonly samples: readonly (Omit<ReadSample, "value"> & { readonly value: string })[];
};

/** Families by their names. Throws with what Python says if it is not what Prometheus reads. */
export function readMetrics(text: string): ReadonlyMap<string, ReadFamily> {
  const { success, stdout, stderr } = Bun.spawnSync(
    [PYTHON, join(import.meta.dir, "prometheus.py")],
    { stdin: Buffer.from(text) },
  );
  if (!success) throw new Error(stderr.toString());
  const printed: readonly Printed[] = JSON.parse(stdout.toString());
  const families = printed.map((family) => ({
    ...family,
    samples: family.samples.map((sample) => ({ ...sample, value: numberOf(sample.value) })),
  }));
  return new Map(families.map((family) => [family.name, family]));
}

/** As Python writes them. */
function numberOf(text: string): number {
  return text === "inf" ? Number.POSITIVE_INFINITY : Number(text);
}
