import { expect, test } from "bun:test";
import { Rest } from "../../src/rest.ts";

/** A rest, and a promise for the next time that it begins. */
function resting(quietMs: number) {
  let next = Promise.withResolvers<number>();
  const rest = new Rest(quietMs, () => {
    next.resolve(performance.now());
    next = Promise.withResolvers();
  });
  return { rest, begins: () => next.promise };
}

test("rest begins when nobody has disturbed it for so long, and again after the next time", async () => {
  const { rest, begins } = resting(5);
  for (let round = 0; round < 2; round++) {
    const from = performance.now();
    const begun = begins();
    rest.disturb();
    expect((await begun) - from).toBeGreaterThanOrEqual(4);
  }
});

test("whoever disturbs it puts it off", async () => {
  const { rest, begins } = resting(20);
  const begun = begins();
  rest.disturb();
  const timer = Promise.withResolvers<number>();
  setTimeout(() => {
    rest.disturb();
    timer.resolve(performance.now());
  }, 10);
  const disturbed = await timer.promise;
  expect((await begun) - disturbed).toBeGreaterThanOrEqual(19);
});
