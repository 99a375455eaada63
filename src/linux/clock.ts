// The time of day, and how fast it goes on: adjtimex(2), linux/timex.h.
import { type Call, call } from "./call.ts";
import { ADJ, CLOCK, STA } from "./constants.ts";

/** struct timex, of 64-bit words but for the modes and the status. */
export const TIMEX_SIZE = 208;
const AT = { modes: 0, freq: 16, status: 40, seconds: 72, nanoseconds: 80, tick: 88 } as const;

const SECOND_NS = 1_000_000_000n;

/** How long the hundredth part of a second is, in microseconds. */
const TICK = 10_000;
/** What one microsecond of that makes of a clock, in millionths. */
const TICK_PPM = 100;
/** `freq` counts millionths in parts of 2^16. */
const FREQ_PER_PPM = 65_536;

/** How long the kernel runs: seconds, then nanoseconds, as 64-bit words in `time`, of 16 bytes. */
export function readBootTime(time: Uint8Array): Call {
  return call("clock_gettime", CLOCK.BOOTTIME, time);
}

/** Into `timex`, of TIMEX_SIZE bytes. Changes nothing. */
export function readClockState(timex: Uint8Array): Call {
  return call("adjtimex", timex);
}

/** Whether somebody keeps the clock and has told the kernel so, as chronyd does. */
export function isKept(timex: Uint8Array): boolean {
  return (viewOf(timex).getInt32(AT.status, true) & STA.UNSYNC) === 0;
}

/** Set the clock forward by so many nanoseconds, or back. */
export function stepClock(nanoseconds: bigint): Call {
  // The part of a second always counts forward.
  const part = ((nanoseconds % SECOND_NS) + SECOND_NS) % SECOND_NS;
  return adjtimex(ADJ.SETOFFSET | ADJ.NANO, (view) => {
    view.setBigInt64(AT.seconds, (nanoseconds - part) / SECOND_NS, true);
    view.setBigInt64(AT.nanoseconds, part, true);
  });
}

/** Have the clock run faster than its oscillator, or slower, by so many millionths: at most 100,000. */
export function paceClock(ppm: number): Call {
  const ticks = Math.round(ppm / TICK_PPM);
  return adjtimex(ADJ.TICK | ADJ.FREQUENCY, (view) => {
    view.setBigInt64(AT.tick, BigInt(TICK + ticks), true);
    view.setBigInt64(AT.freq, BigInt(Math.round((ppm - ticks * TICK_PPM) * FREQ_PER_PPM)), true);
  });
}

function adjtimex(modes: number, fill: (view: DataView) => void): Call {
  const timex = new Uint8Array(TIMEX_SIZE);
  const view = viewOf(timex);
  view.setUint32(AT.modes, modes, true);
  fill(view);
  return call("adjtimex", timex);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
