import { readBootTime } from "../linux/clock.ts";
import { perform } from "./perform.ts";

/** Seconds since the kernel began, those in which the guest was stopped included. */
export function secondsSinceBoot(): number {
  const time = new BigInt64Array(2);
  perform("read the time since boot", readBootTime(new Uint8Array(time.buffer)));
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds) + Number(nanoseconds) / 1e9;
}
