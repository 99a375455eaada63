import { describe, expect, test } from "bun:test";
import {
  bytesOfPage,
  ioMaxLine,
  ioWeightOf,
  orMax,
  pageSizeLabel,
  swapAlone,
  weightOfShares,
} from "../../../src/cgroup/conversion.ts";

describe("shares as a weight", () => {
  test.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [262_143, 10_000],
    [262_144, 10_000],
    [Number.MAX_SAFE_INTEGER, 10_000],
  ])("%p shares are a weight of %p", (shares, weight) => {
    expect(weightOfShares(shares)).toBe(weight);
  });

  test("more shares are never a lower weight, and every weight is one that the kernel takes", () => {
    let last = 1;
    for (let shares = 2; shares <= 262_144; shares += 7) {
      const weight = weightOfShares(shares);
      expect(weight).toBeGreaterThanOrEqual(last);
      expect(weight).toBeLessThanOrEqual(10_000);
      last = weight;
    }
  });
});

test.each([
  [10, 1],
  [500, 4950],
  [1000, 10_000],
])("a block I/O weight of %p is %p on v2", (weight, converted) => {
  expect(ioWeightOf(weight)).toBe(converted);
});

test.each([
  [-1, "max"],
  [0, "0"],
  [4096, "4096"],
  [Number.MAX_SAFE_INTEGER, "max"],
])("a limit of %p is written as %p", (limit, text) => {
  expect(orMax(limit)).toBe(text);
});

describe("swap alone, of memory and both together", () => {
  const most = Number.MAX_SAFE_INTEGER;
  test.each([
    [undefined, undefined, undefined],
    [100, undefined, undefined],
    [-1, undefined, -1],
    [-1, -1, -1],
    [100, -1, -1],
    [undefined, -1, -1],
    [100, 100, 0],
    [100, 250, 150],
    [most, most, -1],
  ])("memory %p and both %p are %p", (limit, both, swap) => {
    expect(swapAlone(limit, both)).toBe(swap);
  });

  test.each([
    [undefined, 100, "unable to set swap limit without memory limit"],
    [-1, 100, "unable to set swap limit without memory limit"],
    [200, 100, "memory+swap limit should be >= memory limit"],
  ])("memory %p and both %p are refused: %s", (limit, both, message) => {
    expect(() => swapAlone(limit, both)).toThrow(message);
  });
});

test.each([
  [1, "8:0 rbps=1"],
  [0, "8:0 rbps=max"],
  [-1, "8:0 rbps=max"],
  [Number.MAX_SAFE_INTEGER - 1, "8:0 rbps=9007199254740990"],
])("a rate of %p is the line %p", (rate, line) => {
  expect(ioMaxLine("rbps", { major: 8, minor: 0, rate })).toBe(line);
});

test.each([
  ["hugepages-64kB", "64KB", 65_536],
  ["hugepages-2048kB", "2MB", 2_097_152],
  ["hugepages-32768kB", "32MB", 33_554_432],
  ["hugepages-1048576kB", "1GB", 1_073_741_824],
  ["hugepages-16777216kB", "16GB", 17_179_869_184],
])("%s holds pages of %s, which are %p bytes", (directory, label, bytes) => {
  expect(pageSizeLabel(directory)).toBe(label);
  expect(bytesOfPage(label)).toBe(bytes);
});

test.each(["", "hugepages-", "hugepages-2M", "x-hugepages-2048kB", "hugepages--1kB"])(
  "%p is no directory of huge pages",
  (directory) => {
    expect(pageSizeLabel(directory)).toBeUndefined();
  },
);
