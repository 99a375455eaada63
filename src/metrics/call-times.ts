// How long calls take, and how long the event loop keeps others waiting meanwhile.
import type { Family } from "./family.ts";
import { Histogram } from "./histogram.ts";

/** After a call comes in; further calls within it are part of the same look. */
const LOOK_MS = 10;

export class CallTimes {
  readonly #calls = new Map<string, Histogram>();
  readonly #delay = new Histogram();
  readonly #underWay = new Map<string, number>();
  #isLooking = false;

  /** A call has come. While none does nothing is measured: an idle guest is not woken. */
  begin(rpc: string): void {
    this.#underWay.set(rpc, (this.#underWay.get(rpc) ?? 0) + 1);
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
    this.#underWay.set(rpc, (this.#underWay.get(rpc) ?? 1) - 1);
    let histogram = this.#calls.get(rpc);
    if (histogram === undefined) this.#calls.set(rpc, (histogram = new Histogram()));
    histogram.observe(seconds);
  }

  families(): readonly Family[] {
    const calls = inOrder(this.#calls);
    return [
      {
        name: "kata_agent_calls",
        type: "gauge",
        help: "Calls that are not answered yet.",
        samples: inOrder(this.#underWay).map(([rpc, value]) => ({ labels: { rpc }, value })),
      },
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

function inOrder<Value>(byName: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...byName].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
