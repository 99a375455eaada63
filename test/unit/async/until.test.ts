import { expect, test } from "bun:test";
import { until } from "../../../src/async/until.ts";

test("a state that is there already needs no pause", async () => {
  let checks = 0;
  expect(await until(() => ++checks === 1, 0)).toBe(true);
  expect(checks).toBe(1);
});

test("it is checked again until it is there, also if the check takes its time", async () => {
  let checks = 0;
  expect(await until(() => Promise.resolve(++checks === 4), 1000)).toBe(true);
  expect(checks).toBe(4);
});

test("after the cap comes a last check, then false", async () => {
  let checks = 0;
  // Pauses of 1, 2, 4 and the 3 ms that are left.
  expect(await until(() => ++checks < 0, 10)).toBe(false);
  expect(checks).toBe(5);
});

test("an error of the check ends the waiting", async () => {
  const check = Promise.reject(new Error("gone"));
  await expect(until(() => check, 1000)).rejects.toThrow("gone");
});

test("other work goes on between two checks", async () => {
  let worked = false;
  setTimeout(() => void (worked = true), 0);
  expect(await until(() => worked, 1000)).toBe(true);
});
