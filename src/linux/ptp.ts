// Clocks that are hardware, or pass for it, such as the one that a hypervisor shows: linux/ptp_clock.h.
import { type Call, type FdArg, call } from "./call.ts";
import { PTP } from "./requests.ts";

const SECOND_NS = 1_000_000_000n;

/** struct ptp_sys_offset: the count, 12 bytes, then times of 16 bytes, of which there is room for 51. */
const SAMPLES_AT = 16;
const TIME_SIZE = 16;
const MOST_SAMPLES = 25;
/** One of them may be held up, and hardly all. */
const SAMPLES = 5;

/** How `device`, such as /dev/ptp0, compares with the time of day. */
export function comparePtp(device: FdArg, comparison: Uint8Array): Call {
  return call("ioctl", device, PTP.SYS_OFFSET, comparison);
}

export function newComparison(): Uint8Array {
  const comparison = new Uint8Array(SAMPLES_AT + (2 * MOST_SAMPLES + 1) * TIME_SIZE);
  new DataView(comparison.buffer).setUint32(0, SAMPLES, true);
  return comparison;
}

/**
 * How many nanoseconds the time of day is behind the device. The times alternate, the first and the last
 * are the time of day: what lies between the two nearest ones is known best.
 */
export function behindIn(comparison: Uint8Array): bigint {
  const times = timesIn(comparison);
  let best: { readonly took: bigint; readonly behind: bigint } | undefined;
  for (let i = 1; i < times.length; i += 2) {
    const [before = 0n, device = 0n, after = 0n] = times.slice(i - 1, i + 2);
    const took = after - before;
    const behind = device - before - took / 2n;
    if (best === undefined || took < best.took) best = { took, behind };
  }
  return best?.behind ?? 0n;
}

function timesIn(comparison: Uint8Array): bigint[] {
  const view = new DataView(comparison.buffer);
  return Array.from({ length: 2 * view.getUint32(0, true) + 1 }, (_, index) => {
    const at = SAMPLES_AT + index * TIME_SIZE;
    return view.getBigInt64(at, true) * SECOND_NS + BigInt(view.getUint32(at + 8, true));
  });
}
