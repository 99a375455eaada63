import { expect, test } from "bun:test";
import { writeOutDisks } from "../../../src/guest/power-off.ts";

test("the disks are written out, or it is known that they were not in time", () => {
  expect(writeOutDisks(60_000)).toBe(true);
  // Nobody has ended by then.
  expect(writeOutDisks(-1)).toBe(false);
});
