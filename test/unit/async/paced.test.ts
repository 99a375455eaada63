import { expect, test } from "bun:test";
import { paced } from "../../../src/async/paced.ts";

test("every item comes, in order", async () => {
  const items = Array.from({ length: 200 }, (_, index) => index);
  expect(await Array.fromAsync(paced(items))).toEqual(items);
});

test("the event loop runs while there are many items", async () => {
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  for await (const _ of paced(Array.from({ length: 640 }))) expect(over).toBe(false);
  over = true;
  expect(turns).toBeGreaterThanOrEqual(10);
});
