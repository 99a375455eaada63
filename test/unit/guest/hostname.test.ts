import { expect, test } from "bun:test";
import { hostnameIn } from "../../../src/guest/hostname.ts";

test.each([
  ["kata\n", "kata"],
  ["  kata guest\n", "kata"],
  ["kata\tguest", "kata"],
  ["", "localhost"],
  ["\n \n", "localhost"],
])("%j names the guest %s", (text, name) => {
  expect(hostnameIn(text)).toBe(name);
});
