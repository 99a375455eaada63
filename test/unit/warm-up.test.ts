import { expect, test } from "bun:test";
import { warmUp } from "../../src/warm-up.ts";

test("the rehearsal of a container goes through, step by step", async () => {
  let steps = 0;
  await warmUp(() => ++steps > 0);
  expect(steps).toBeGreaterThan(10);
});

test("the rehearsal ends as soon as it is not wanted, and others have their turn before", async () => {
  let turns = 0;
  setImmediate(() => void turns++);
  let steps = 0;
  await warmUp(() => ++steps < 3);
  expect(steps).toBe(3);
  expect(turns).toBe(1);
});
