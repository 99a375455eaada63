import { expect, test } from "bun:test";
import { behindIn, newComparison } from "../../../src/linux/ptp.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

const SECOND_NS = 1_000_000_000n;

/** As the kernel fills it in: nanoseconds of our clock and of the other in turn. */
function comparisonOf(times: readonly bigint[]): Uint8Array {
  const comparison = newComparison();
  const view = new DataView(comparison.buffer);
  view.setUint32(0, (times.length - 1) / 2, true);
  for (const [index, time] of times.entries()) {
    view.setBigInt64(16 + 16 * index, time / SECOND_NS, true);
    view.setUint32(24 + 16 * index, Number(time % SECOND_NS), true);
  }
  return comparison;
}

testWithC("a comparison is laid out as the kernel's header has it", () => {
  const lines = linesOf(
    ["stddef.h", "linux/ptp_clock.h"],
    `typedef struct ptp_sys_offset it;
     printf("%d %d %d", sizeof(it), offsetof(it, ts[1]), offsetof(it, ts[1].nsec));`,
  );
  expect(lines).toEqual([`${newComparison().length} 32 40`]);
});

test("the kernel is asked for five samples", () => {
  expect(new DataView(newComparison().buffer).getUint32(0, true)).toBe(5);
});

test.each([
  ["behind", [100n, 1_150n, 200n], 1_000n],
  ["ahead", [5n * SECOND_NS, SECOND_NS, 5n * SECOND_NS], -4n * SECOND_NS],
  ["right", [5n, 7n, 9n], 0n],
  [
    "behind, by the sample that took the least time",
    [0n, 90n, 100n, 1_120n, 140n, 50n, 300n],
    1_000n,
  ],
])("a clock is %s", (_, times, behind) => {
  expect(behindIn(comparisonOf(times))).toBe(behind);
});
