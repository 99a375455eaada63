// One line of the table: a measured value, its peer in the same run, and what is promised.
import budgets from "./budgets.json" with { type: "json" };
import { quantile } from "./sample.ts";

export type RowId =
  | keyof typeof budgets
  // For comparison: nothing is promised.
  | "read-stdout-pipe"
  | "copy-file"
  | "create-start-crun"
  | "create-start-fresh";

export type Measured = {
  readonly id: RowId;
  readonly what: string;
  readonly unit: "ms" | "µs" | "calls/s" | "MB/s" | "MB";
  /** One value of each run; a single one where there is nothing to repeat. */
  readonly ours: readonly number[];
  readonly peer?: { readonly name: string; readonly samples: readonly number[] };
  /** What must be known to read the numbers. */
  readonly note?: string;
};

/** A peer that could not be measured, and why. */
export type Absent = { readonly id: RowId; readonly what: string; readonly absent: string };

export type Row = Measured | Absent;

/** `bound` is "most" for what should be small. The limit is `times` the peer's median and `plus`. */
type Budget = { readonly bound: string; readonly times: number; readonly plus: number };

const BUDGETS: Readonly<Record<string, Budget>> = budgets;

export type Verdict = {
  readonly median: number;
  /** The slow end: the 99th percentile of a time, the first of a rate. */
  readonly p99: number;
  readonly peerMedian?: number;
  readonly peerP99?: number;
  readonly ratio?: number;
  readonly limit?: number;
  readonly isMet?: boolean;
};

export function verdictOf(row: Measured): Verdict {
  const slow = row.unit.endsWith("/s") ? 0.01 : 0.99;
  const [median, p99] = [quantile(row.ours, 0.5), quantile(row.ours, slow)];
  const budget = BUDGETS[row.id];
  const peerMedian = row.peer && quantile(row.peer.samples, 0.5);
  const limit = budget && budget.times * (peerMedian ?? 0) + budget.plus;
  return {
    median,
    p99,
    ...(row.peer &&
      peerMedian !== undefined && {
        peerMedian,
        peerP99: quantile(row.peer.samples, slow),
        ratio: median / peerMedian,
      }),
    ...(limit !== undefined && {
      limit,
      isMet: budget?.bound === "least" ? median >= limit : median <= limit,
    }),
  };
}

/** The promise in words: `≤ 0.125 ×`. */
export function budgetText({ id, unit }: Measured): string {
  const budget = BUDGETS[id];
  if (budget === undefined) return "";
  const sign = budget.bound === "least" ? "≥" : "≤";
  const times = budget.times === 0 ? [] : [`${budget.times} ×`];
  const plus = budget.plus === 0 ? [] : [`${budget.plus} ${unit}`];
  return `${sign} ${[...times, ...plus].join(" + ")}`;
}
