import { expect, test } from "bun:test";
import { Beginning } from "../../../src/metrics/beginning.ts";

test("milestones are told in their order, each when it was reached first", () => {
  const now = performance.now();
  const beginning = new Beginning({ process: now - 2000, code: now });
  beginning.reached("answered");
  const { samples } = beginning.family();
  expect(samples.map(({ labels }) => labels["item"])).toEqual(["process", "code", "answered"]);
  const [process = 0, code = 0, answered = 0] = samples.map(({ value }) => value);
  expect(code - process).toBeCloseTo(2, 6);
  expect(answered).toBeGreaterThanOrEqual(code);
  beginning.reached("answered");
  expect(beginning.family().samples.at(-1)?.value).toBe(answered);
});

test("nothing is told of what was not reached", () => {
  expect(new Beginning({}).family().samples).toEqual([]);
});
