// Keeps the guest's clock by one that the host shows, such as KVM's /dev/ptp0: users.md P31. A guest whose
// process 1 is the agent has nobody else who would, and its clock is seconds wrong after some days.
import { Periodic } from "../async/periodic.ts";
import { Fd } from "../kernel/fd.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { TIMEX_SIZE, isKept, paceClock, readClockState, stepClock } from "../linux/clock.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { behindIn, comparePtp, newComparison } from "../linux/ptp.ts";

const PERIOD_MS = 30_000;
/** So much is made up for at once: programs bear a leap less than a clock that runs a little faster. */
const STEP_NS = 1_000_000_000n;

export type Correction =
  | { readonly stepNs: bigint }
  /** Millionths, until the next look; 33,333 at most. */
  | { readonly ppm: number };

/**
 * Of a clock that is behind by so many nanoseconds. What it has lost since the last look it gains until the
 * next one. On the first look nothing runs yet that would mind a leap.
 */
export function correctionOf(behindNs: bigint, isFirst: boolean): Correction {
  const size = behindNs < 0n ? -behindNs : behindNs;
  if (isFirst || size > STEP_NS) return { stepNs: behindNs };
  // Nanoseconds in a millisecond are millionths.
  return { ppm: Number(behindNs) / PERIOD_MS };
}

export type Report = (
  level: "info" | "warn",
  message: string,
  fields: Record<string, string>,
) => void;

/**
 * Looks at once and every 30 s, until the signal is aborted. `device`: the path of the clock to go by. It may
 * come later, with a module of the pod's.
 */
export function keepClock(device: string, report: Report, signal: AbortSignal): Periodic<string> {
  const keeper = new ClockKeeper(device, report);
  const run = () => Promise.resolve(keeper.look());
  return new Periodic({ settings: device, pauseMs: () => PERIOD_MS, run, signal });
}

class ClockKeeper {
  readonly #device: string;
  readonly #report: Report;
  #isFirst = true;
  #told = "";

  constructor(device: string, report: Report) {
    this.#device = device;
    this.#report = report;
  }

  /** Gives how much longer to wait for the next look than usual. */
  look(): number {
    try {
      if (isKeptByOther()) this.#tell("info", "somebody else keeps the clock");
      else this.#correct();
    } catch (error) {
      // At the pace of the last correction it would run away.
      if (!this.#isFirst) attempt(paceClock(0));
      this.#tell("warn", "the clock is not kept", String(error));
    }
    return 0;
  }

  #correct(): void {
    const correction = correctionOf(behind(this.#device), this.#isFirst);
    perform("pace the clock", paceClock("ppm" in correction ? correction.ppm : 0));
    if ("stepNs" in correction) {
      perform("set the clock", stepClock(correction.stepNs));
      const seconds = Number(correction.stepNs) / 1e9;
      this.#report("info", "clock set", { device: this.#device, by: `${seconds.toFixed(6)} s` });
    }
    this.#isFirst = false;
    this.#told = "";
  }

  /** What stays as it is is told once. */
  #tell(level: "info" | "warn", message: string, error = ""): void {
    if (message + error === this.#told) return;
    this.#told = message + error;
    this.#report(level, message, { device: this.#device, error });
  }
}

function isKeptByOther(): boolean {
  const state = new Uint8Array(TIMEX_SIZE);
  perform("ask for the state of the clock", readClockState(state));
  return isKept(state);
}

/** Nanoseconds. */
function behind(device: string): bigint {
  using clock = Fd.of(`open ${device}`, openat(AT_FDCWD, device, O.RDONLY | O.NONBLOCK | O.NOCTTY));
  const comparison = newComparison();
  perform(`compare the time with ${device}`, comparePtp(clock.number, comparison));
  return behindIn(comparison);
}
