// How long it took until the agent served, from the moment the kernel began.
import { secondsSinceBoot } from "../kernel/boot-time.ts";
import { type Family, items } from "./family.ts";

/**
 * In their order: the agent's process began; its code runs; it has prepared the guest, as PID 1; who dials is
 * no longer refused; calls are taken; the first one is answered.
 */
export type Milestone = "process" | "code" | "prepared" | "listening" | "serving" | "answered";

export class Beginning {
  readonly #reached: Partial<Record<Milestone, number>> = {};

  /** `before`: what was reached already, as `performance.now()` said it then. */
  constructor(before: Readonly<Partial<Record<Milestone, number>>>) {
    const origin = secondsSinceBoot() - performance.now() / 1000;
    for (const [milestone, at] of Object.entries(before))
      this.#reached[milestone as Milestone] = origin + at / 1000;
  }

  /** Later times do not count. */
  reached(milestone: Milestone): void {
    this.#reached[milestone] ??= secondsSinceBoot();
  }

  family(): Family {
    const help = "Seconds since the kernel began at which the agent was so far.";
    return items("kata_agent_boot_seconds", help, [[{}, this.#reached]]);
  }
}
