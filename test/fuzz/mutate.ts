// Input that is nearly right: what is quite wrong is refused at the door.
import { pick, randomText } from "../support/random.ts";

export type Random = () => number;

/** Numbers that are at an end of something. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff];
const MOST_CHANGES = 6;
const LONGEST = 64 << 10;

/** Between 0 and `most`, small ones more often. */
export function upTo(random: Random, most: number): number {
  return Math.floor(random() ** 3 * (most + 1));
}

/** One of the seeds, changed in a few places; now and then bytes that were never right. */
export function mutate(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  if (random() < 0.05) return bytes(random, 200);
  let result = pick(random, seeds);
  for (let left = upTo(random, MOST_CHANGES); left > 0; left--)
    result = change(random, result, seeds).subarray(0, LONGEST);
  return result;
}

function change(random: Random, from: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array {
  const [one, other] = [from.length, from.length].map((most) => Math.floor(random() * (most + 1)));
  const [start, end] = [Math.min(one ?? 0, other ?? 0), Math.max(one ?? 0, other ?? 0)];
  const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  const [head, tail] = [from.subarray(0, start), from.subarray(start)];
  switch (Math.floor(random() * 8)) {
    case 0:
      return head;
    case 1:
      return joined(head, from.subarray(end));
    case 2:
      return joined(from.subarray(0, end), tail);
    case 3:
      return joined(head, bytes(random, 20), tail);
    case 4: {
      const donor = pick(random, seeds);
      const at = Math.floor(random() * (donor.length + 1));
      return joined(head, donor.subarray(at, at + upTo(random, 64)), from.subarray(end));
    }
    case 5:
      return joined(head, Buffer.from(randomText(random, 10)), tail);
    default:
      return flipped(random, from, start);
  }
}

function flipped(random: Random, from: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(from);
  const byte = copy[at];
  if (byte === undefined) return copy;
  copy[at] = random() < 0.5 ? byte ^ (1 << Math.floor(random() * 8)) : pick(random, EDGES);
  return copy;
}

function bytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: upTo(random, most) }, () => Math.floor(random() * 256));
}
