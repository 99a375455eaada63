import { describe, expect, test } from "bun:test";
import { LineRing, RING_SIZE } from "../../../src/logging/line-ring.ts";
import { seeded } from "../../support/random.ts";

function takeAll(ring: LineRing): string[] {
  const taken: string[] = [];
  for (let line = ring.take(); line !== undefined; line = ring.take()) taken.push(line);
  return taken;
}

describe("the ring of log lines", () => {
  test("gives each line once, in its order", () => {
    const ring = new LineRing();
    ring.add("a");
    ring.add("b");
    expect(takeAll(ring)).toEqual(["a", "b"]);
    expect(ring.hasMore).toBe(false);
    ring.add("c");
    expect([ring.hasMore, ...takeAll(ring)]).toEqual([true, "c"]);
  });

  test("keeps what was taken for whoever asks what was logged last", () => {
    const ring = new LineRing(3);
    for (const line of ["a", "b", "c", "d"]) {
      ring.add(line);
      takeAll(ring);
    }
    expect(ring.recent()).toEqual(["b", "c", "d"]);
    expect(ring.takeLost()).toBe(0);
  });

  test("drops the oldest lines that nobody took, and knows how many", () => {
    const ring = new LineRing(6);
    for (const line of ["aa", "bb", "cc", "dd", "ee"]) ring.add(line);
    expect(ring.hasMore).toBe(true);
    expect(ring.takeLost()).toBe(2);
    expect(ring.takeLost()).toBe(0);
    expect(takeAll(ring)).toEqual(["cc", "dd", "ee"]);
  });

  test("does not keep a line that is larger than itself", () => {
    const ring = new LineRing(3);
    ring.add("abcd");
    expect([ring.take(), ring.takeLost(), ring.recent().length]).toEqual([undefined, 1, 0]);
  });

  test("holds 256 Ki characters at most, and loses no line without counting it", () => {
    const random = seeded(3);
    const ring = new LineRing();
    let taken = 0;
    let lost = 0;
    for (let added = 1; added <= 20_000; added++) {
      ring.add("x".repeat(Math.floor(random() * 300)));
      if (random() < 0.3) taken += ring.take() === undefined ? 0 : 1;
      if (random() < 0.01) lost += ring.takeLost();
      if (added % 1000 === 0) expect(ring.recent().join("").length).toBeLessThanOrEqual(RING_SIZE);
    }
    taken += takeAll(ring).length;
    expect(taken + lost + ring.takeLost()).toBe(20_000);
  });
});
