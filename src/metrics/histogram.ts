// How often something took how long.
import type { Labels, Sample } from "./family.ts";

/** Upper ends in seconds, from what a call costs at least to what a host waits at most. */
const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
] as const;

export class Histogram {
  /** Behind the last bound there is one more. */
  readonly #counts = new Uint32Array(BOUNDS.length + 1);
  #sum = 0;

  observe(seconds: number): void {
    let index = 0;
    while (seconds > (BOUNDS[index] ?? Number.POSITIVE_INFINITY)) index++;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** As Prometheus wants them: each bucket counts what is in those before it as well. */
  samples(labels: Labels): readonly Sample[] {
    let count = 0;
    const buckets = [...this.#counts].map((each, index) => {
      count += each;
      const le = index < BOUNDS.length ? String(BOUNDS[index]) : "+Inf";
      return { suffix: "_bucket", labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { suffix: "_sum", labels, value: this.#sum },
      { suffix: "_count", labels, value: count },
    ];
  }
}
