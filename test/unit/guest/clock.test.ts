import { expect, test } from "bun:test";
import { setClock } from "../../../src/guest/clock.ts";
import { reseed } from "../../../src/guest/entropy.ts";

test.each([
  [-1n, 0n, "Sec -1 is before 1970"],
  [-(2n ** 63n), 0n, "is before 1970"],
  [1n, -1n, "Usec -1 is not within a second"],
  [1n, 1_000_000n, "Usec 1000000 is not within a second"],
])("a clock is not set to %p s and %p µs", (seconds, microseconds, why) => {
  expect(() => setClock(seconds, microseconds)).toThrow(why);
});

test("random numbers are not mixed with nothing, nor with more than a host has", () => {
  expect(() => reseed(new Uint8Array())).toThrow("missing entropy data");
  expect(() => reseed(new Uint8Array(65_537))).toThrow("65537 bytes of entropy data");
});
