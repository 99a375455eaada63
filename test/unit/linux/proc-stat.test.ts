import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseStat } from "../../../src/linux/proc-stat.ts";
import { randomText, seeded } from "../../support/random.ts";

test.each([
  ["1 (init) S 0 1 1 0", { pid: 1, name: "init", state: "S", parent: 0 }],
  ["7 (a) b (c)) Z 1 7 7", { pid: 7, name: "a) b (c)", state: "Z", parent: 1 }],
  ["7 (two\nlines) R 1 7", { pid: 7, name: "two\nlines", state: "R", parent: 1 }],
  ["7 () D 2 7", { pid: 7, name: "", state: "D", parent: 2 }],
])("%j is a process", (text, stat) => {
  expect(parseStat(text)).toEqual(stat);
});

test.each(["", "1", "1 (init", "1 init S 0 1", "x (init) S 0 1", "1 (init) S"])(
  "%j is none",
  (text) => {
    expect(parseStat(text)).toBeUndefined();
  },
);

test("the kernel writes what is parsed", () => {
  const stat = parseStat(readFileSync("/proc/self/stat", "utf8"));
  expect([stat?.pid, stat?.parent]).toEqual([process.pid, process.ppid]);
});

test("whatever a process calls itself, its pid and its parent are found", () => {
  const random = seeded(8);
  for (let i = 0; i < 500; i++) {
    const name = randomText(random, 15).replaceAll("\0", "");
    expect(parseStat(`12 (${name}) S 34 12`)).toEqual({ pid: 12, name, state: "S", parent: 34 });
  }
});
