// Many runs of a thing and of its peer, and what they come to.

export type Pair = { readonly ours: number[]; readonly peer: number[] };

/**
 * Run both in turn, so that what else the machine does falls on both alike, and each as often after
 * the other as before it. The first turn warms both up and does not count.
 */
export async function inTurn(
  runs: number,
  ours: () => Promise<number>,
  peer: () => Promise<number>,
): Promise<Pair> {
  const pair: Pair = { ours: [], peer: [] };
  for (let run = 0; run <= runs; run++) {
    const both = [
      { measure: ours, into: pair.ours },
      { measure: peer, into: pair.peer },
    ];
    for (const { measure, into } of run % 2 === 0 ? both : both.toReversed()) {
      const value = await measure();
      if (run > 0) into.push(value);
    }
  }
  return pair;
}

/** The value below which the part `at` of all samples lies: 0.5 is the median. */
export function quantile(samples: readonly number[], at: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN;
}

/** Milliseconds that `work` takes. */
export async function milliseconds(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
