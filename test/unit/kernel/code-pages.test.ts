import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { codeMappings, letGoOfCode } from "../../../src/kernel/code-pages.ts";

const MAPS = `
00200000-02000000 r--p 00000000 fe:00 1                          /usr/bin/kata-agent
02000000-07000000 r-xp 01e00000 fe:00 1                          /usr/bin/kata-agent
07000000-08000000 rw-p 06e00000 fe:00 1                          /usr/bin/kata-agent
09000000-09100000 r-xp 00000000 fe:00 2                          /memfd:libc.so.6 (deleted)
10000000-18000000 r-xp 00000000 00:00 0
20000000-28000000 rwxp 00000000 fe:00 3                          /tmp/changed
`;

test("code is what a large mapping of a file has that nobody can write to", () => {
  expect(codeMappings(MAPS)).toEqual([{ from: 0x0200_0000, to: 0x0700_0000 }]);
});

/** In kB. */
function resident(): number {
  const [, size] = /^RssFile:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(size);
}

test("less is resident when the agent has let go of its code, which still runs", () => {
  const before = resident();
  letGoOfCode();
  expect(resident()).toBeLessThan(before / 2);
});
