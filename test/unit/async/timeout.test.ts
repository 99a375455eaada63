import { expect, test } from "bun:test";
import { within } from "../../../src/async/timeout.ts";

const never = new Promise<never>(() => {});

test("work that is over in time is over, whatever it gives", async () => {
  expect(await within(Promise.resolve(), 1000)).toBe(true);
  expect(await within(Promise.resolve(false), 1000)).toBe(true);
});

test("work that is not over in time is not", async () => {
  expect(await within(never, 1)).toBe(false);
});

test("what the work throws in time is thrown", async () => {
  await expect(within(Promise.reject(new Error("lost")), 1000)).rejects.toThrow("lost");
});

test("what the work throws too late troubles nobody", async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", hear);
  const work = Promise.withResolvers<void>();
  expect(await within(work.promise, 1)).toBe(false);
  work.reject(new Error("late"));
  // Rejections that nobody handles are reported before the next turn of the loop.
  await new Promise<void>((resolve) => void setImmediate(resolve));
  process.off("unhandledRejection", hear);
  expect(unhandled).toEqual([]);
});

test.each([2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])(
  "%d ms, more than a timer can have, are not none",
  async (milliseconds) => {
    const work = Promise.withResolvers<void>();
    setTimeout(work.resolve, 5);
    expect(await within(work.promise, milliseconds)).toBe(true);
  },
);
