import { expect, test } from "bun:test";
import { numbersOf } from "../../../src/linux/number-list.ts";

test("a list of any length names a bounded number of processors", () => {
  expect([...numbersOf("0-1, 4")]).toEqual([0, 1, 4]);
  expect(numbersOf("0-999999999999999999999").size).toBe(8192);
  expect([...numbersOf("3-1,x,-,1-,-1,")]).toEqual([]);
});
