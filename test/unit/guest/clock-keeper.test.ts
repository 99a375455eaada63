import { expect, test } from "bun:test";
import { correctionOf } from "../../../src/guest/clock-keeper.ts";

const SECOND_NS = 1_000_000_000n;

test.each([0n, 1n, -5_000n, SECOND_NS / 2n, -(10n ** 18n)])(
  "on the first look a clock that is %p ns behind is set",
  (behind) => {
    expect(correctionOf(behind, true)).toEqual({ stepNs: behind });
  },
);

test("later a clock that is more than a second off is set", () => {
  expect(correctionOf(SECOND_NS + 1n, false)).toEqual({ stepNs: SECOND_NS + 1n });
  expect(correctionOf(-SECOND_NS - 1n, false)).toEqual({ stepNs: -SECOND_NS - 1n });
});

test("what is less is made up for until the next look, in 30 s", () => {
  expect(correctionOf(0n, false)).toEqual({ ppm: 0 });
  expect(correctionOf(300_000n, false)).toEqual({ ppm: 10 });
  expect(correctionOf(-300_000_000n, false)).toEqual({ ppm: -10_000 });
  expect(correctionOf(SECOND_NS, false)).toEqual({ ppm: 1e9 / 30_000 });
});
