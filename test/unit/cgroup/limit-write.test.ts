import { describe, expect, test } from "bun:test";
import { type LimitWrite, isTaken } from "../../../src/cgroup/limit-write.ts";

type ReadBack = LimitWrite["readBack"];

const taken = (value: string, shown: string, readBack: ReadBack) =>
  isTaken({ field: "f", file: "a.b", value, ...(readBack && { readBack }) }, shown);

describe("a size that was written", () => {
  const size = { kind: "size", page: 65_536 } as const;
  test.each([
    ["1048576", "1048576\n", true],
    ["1000001", "999424\n", true],
    ["5", "0\n", true],
    ["max", "max\n", true],
    ["-1", "9223372036854771712\n", true],
    ["-1", "9223372036854710272\n", true],
    ["9007199254740991", "9007199254736896\n", true],
    ["1048576", "1048577\n", false],
    ["1048576", "900000\n", false],
    ["1048576", "max\n", false],
    ["1048576", "\n", false],
    ["max", "1048576\n", false],
    ["-1", "1048576\n", false],
  ])("as %p and is shown as %p: taken %p", (value, shown, expected) => {
    expect(taken(value, shown, size)).toBe(expected);
  });
});

test.each([
  ["0-3", "0-3\n", true],
  ["0,1,2", "0-2\n", true],
  ["3,1", "1,3\n", true],
  ["0-3", "0-2\n", false],
  ["0", "\n", false],
])("a list written as %p and shown as %p: taken %p", (value, shown, expected) => {
  expect(taken(value, shown, { kind: "list" })).toBe(expected);
});

test.each([
  ["1048577", "1048577\n", true],
  ["1048577", "0\n", false],
])("a number written as %p and shown as %p: taken %p", (value, shown, expected) => {
  expect(taken(value, shown, { kind: "number" })).toBe(expected);
});

test("what is not read back counts as taken", () => {
  expect(taken("1", "2", undefined)).toBe(true);
});
