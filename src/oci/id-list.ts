// Lists of processors and memory nodes as the kernel writes them: `0-3,6`.
import { InvalidSpec, quote } from "./invalid-spec.ts";

/** No kernel has more; runc draws the line there as well. */
const LARGEST_ID = 64 * 1024;

/** What fits the file of a cpuset. */
const LONGEST_LIST = 4095;

const WORD_BITS = 64;

/**
 * Bit n of the result stands for number n; whole 64-bit words, no longer than the largest number asks
 * for. An empty list has none. Blanks and extra commas are passed over. Throws InvalidSpec.
 */
export function idMask(field: string, list: string): Uint8Array {
  if (list.length > LONGEST_LIST)
    throw new InvalidSpec(`${field}: ${list.length} characters, ${LONGEST_LIST} are the most`);
  const ranges = list
    .split(",")
    .map((range) => range.trim())
    .filter((range) => range !== "")
    .map((range) => rangeOf(field, range));
  const largest = ranges.reduce((most, [, last]) => Math.max(most, last), -1);
  const mask = new Uint8Array((Math.ceil((largest + 1) / WORD_BITS) * WORD_BITS) / 8);
  for (const [first, last] of ranges) {
    for (let id = first; id <= last; id++) {
      const byte = id >> 3;
      mask[byte] = (mask[byte] ?? 0) | (1 << (id & 7));
    }
  }
  return mask;
}

function rangeOf(field: string, range: string): readonly [first: number, last: number] {
  const [, from, to = from] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (!(first <= last)) throw new InvalidSpec(`${field}: ${quote(range)} is no number or range`);
  if (last > LARGEST_ID) throw new InvalidSpec(`${field}: ${last} is larger than ${LARGEST_ID}`);
  return [first, last];
}
