import { expect, test } from "bun:test";
import type { Call } from "../../../src/linux/call.ts";
import {
  TIMEX_SIZE,
  isKept,
  paceClock,
  readClockState,
  stepClock,
} from "../../../src/linux/clock.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

function hexOf({ args }: Call): string {
  const bytes = args[0];
  if (!(bytes instanceof Uint8Array)) throw new TypeError("no bytes");
  return bytes.toHex();
}

/** struct timex with these members, as the C compiler has it. */
function inC(members: string): string[] {
  const print = `for (int i = 0; i < sizeof all; i++) printf("%02x", ((unsigned char *)&all)[i]);`;
  return [...linesOf(["sys/timex.h"], `struct timex all = { ${members} }; ${print}`)];
}

testWithC("a question about the clock changes nothing", () => {
  expect(inC("")).toEqual([hexOf(readClockState(new Uint8Array(TIMEX_SIZE)))]);
});

testWithC("a step forward or back has a part of a second that counts forward", () => {
  const modes = ".modes = ADJ_SETOFFSET | ADJ_NANO";
  expect(inC(`${modes}, .time = { 3, 5 }`)).toEqual([hexOf(stepClock(3_000_000_005n))]);
  expect(inC(`${modes}, .time = { -4, 999999995 }`)).toEqual([hexOf(stepClock(-3_000_000_005n))]);
  expect(inC(`${modes}, .time = { -3, 0 }`)).toEqual([hexOf(stepClock(-3_000_000_000n))]);
});

testWithC("a pace is ticks of a hundred millionths, and what is left of them", () => {
  const modes = ".modes = ADJ_TICK | ADJ_FREQUENCY";
  expect(inC(`${modes}, .tick = 10000`)).toEqual([hexOf(paceClock(0))]);
  expect(inC(`${modes}, .tick = 10333, .freq = 33 << 16`)).toEqual([hexOf(paceClock(33_333))]);
  expect(inC(`${modes}, .tick = 9990, .freq = -(40 << 16)`)).toEqual([hexOf(paceClock(-1_040))]);
});

test.each([
  [0x40, false],
  [0x0, true],
  [0x2001, true],
])("a clock of status %p is kept by somebody: %p", (status, kept) => {
  const timex = new Uint8Array(TIMEX_SIZE);
  new DataView(timex.buffer).setInt32(40, status, true);
  expect(isKept(timex)).toBe(kept);
});
