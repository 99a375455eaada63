import { describe, expect, test } from "bun:test";
import {
  handlesSignal,
  innermostPid,
  signalMask,
  signalsIn,
} from "../../../src/linux/proc-status.ts";
import { pick, seeded } from "../../support/random.ts";

describe("a process handles a signal, by its status file (rpc.md 11.2):", () => {
  const CAUGHT = "SigCgt:000000004b813efb";
  test.each([
    [
      "caught, among other lines",
      "SigBlk:0000000000010000\nSigCgt:0000000000000001\nx: 1",
      1,
      true,
    ],
    ["caught", CAUGHT, 4, true],
    ["caught, with a tab before", "SigCgt:\t000000004b813efb", 4, true],
    ["caught, with blanks around", "SigCgt: 000000004b813efb ", 4, true],
    ["another one caught", CAUGHT, 3, false],
    ["past the last signal", CAUGHT, 65, false],
    ["signal 0, which asks whether the process is there", CAUGHT, 0, true],
    ["signal 0 and no field at all", "Name:\tx", 0, true],
    ["no hexadecimal number", "SigCgt:ZZZZZZZZ", 1, false],
    ["a negative number", "SigCgt:-1", 1, false],
    ["no number", "SigCgt:", 1, false],
    ["a number of more than 64 bits", "SigCgt:10000000000000001", 1, false],
    ["blocked", "SigBlk:0000000000000001", 1, true],
    ["ignored", "SigIgn:0000000000000001", 1, true],
    ["pending, which is not handled", "SigPnd:0000000000000001", 1, false],
    ["the last signal", "SigCgt:8000000000000000", 64, true],
    ["an empty file", "", 1, false],
  ])("%s", (_, status, signal, handled) => {
    expect(handlesSignal(status, signal)).toBe(handled);
  });
});

test("a mask is the field asked for, not one whose name ends alike", () => {
  const status = "ShdSigIgn:\t00000000000000ff\nSigIgn:\t0000000000001000\n";
  expect(signalMask(status, "SigIgn")).toBe(0x1000n);
  expect(signalMask(status, "SigCgt")).toBe(0n);
});

test("bit n − 1 stands for signal n", () => {
  expect(signalsIn(0n)).toEqual([]);
  expect(signalsIn(0x1000n)).toEqual([13]);
  expect(signalsIn(0x8000_0000_0000_0001n)).toEqual([1, 64]);
  expect(signalsIn((1n << 64n) - 1n)).toHaveLength(64);
});

test("the kernel's own text is understood", async () => {
  const status = await Bun.file("/proc/self/status").text();
  expect(handlesSignal(status, 0)).toBe(true);
  // SIGKILL can be neither caught, blocked nor ignored.
  expect(handlesSignal(status, 9)).toBe(false);
});

test("the pid of a process is the one in its own namespace", async () => {
  expect(innermostPid("Pid:\t7\nNSpid:\t7\n")).toBe(7);
  expect(innermostPid("NSpid:\t4711\t12\t1\nNSpgid:\t4711\t12\t2\n")).toBe(1);
  expect(innermostPid("NStgid:\t1\n")).toBeUndefined();
  expect(innermostPid("NSpid:\n1\n")).toBeUndefined();
  expect(innermostPid(await Bun.file("/proc/self/status").text())).toBe(process.pid);
});

test("a mask of any text has 64 bits", () => {
  const random = seeded(22);
  const parts = ["SigCgt:", "SigIgn", ":", "\n", "\t", "f", "0", "x", "-", "é", "0123456789abcdef"];
  let found = 0;
  for (let round = 0; round < 20_000; round++) {
    const status = Array.from({ length: 8 }, () => pick(random, parts)).join("");
    const mask = signalMask(status, "SigCgt");
    expect(mask >= 0n && mask < 1n << 64n).toBe(true);
    if (mask > 0n) found++;
  }
  expect(found).toBeGreaterThan(10);
});
