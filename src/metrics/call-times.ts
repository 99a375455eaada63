// How long calls take, and how long the event loop keeps others waiting meanwhile.
import type { Family } from "./family.ts";
import { Histogram } from "./histogram.ts";

/** After a call comes in; further calls within it are part of the same look. */
const LOOK_MS = 10;

export class CallTimes {
  readonly #calls = new Map<string, Histogram>();
  readonly #delay = new Histogram();
  #isLooking = false;

  /** A call has come. While none does nothing is measured: an idle guest is not woken. */
  begin(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const due = performance.now() + LOOK_MS;
    setTimeout(() => {
      this.#isLooking = false;
      this.#delay.observe(Math.max(performance.now() - due, 0) / 1000);
    }, LOOK_MS);
  }

  /** `rpc` has ended, one way or the other. */
  end(rpc: string, seconds: number): void {
    let histogram = this.#calls.get(rpc);
    if (histogram === undefined) this.#calls.set(rpc, (histogram = new Histogram()));
    histogram.observe(seconds);
  }

  families(): readonly Family[] {
    const calls = [...this.#calls].toSorted(([one], [other]) => (one < other ? -1 : 1));
    return [
      {
        name: "kata_agent_rpc_seconds",
        type: "histogram",
        help: "Time from a request to its answer, with what it waited for.",
        samples: calls.flatMap(([rpc, histogram]) => histogram.samples({ rpc })),
      },
      {
        name: "kata_agent_loop_delay_seconds",
        type: "histogram",
        help: "How late a timer fires while calls are served.",
        samples: this.#delay.samples({}),
      },
    ];
  }
}
