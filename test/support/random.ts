// Random numbers that are the same in every run, for fuzzing.

/** mulberry32: numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of `items`, which must not be empty. */
export function pick<Item>(random: () => number, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** Up to `longest` characters, controls and NUL among them. */
export function randomText(random: () => number, longest: number): string {
  const length = Math.floor(random() * (longest + 1));
  return Array.from({ length }, () => String.fromCharCode(Math.floor(random() * 0x180))).join("");
}
