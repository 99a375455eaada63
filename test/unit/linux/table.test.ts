import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import {
  type SyscallName,
  SYSCALLS,
  argumentKinds,
  syscallNumber,
} from "../../../src/linux/table.ts";

const X86_64 = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
/** arm64 has no table of its own. */
const GENERIC = "/usr/include/asm-generic/unistd.h";

/** Rows that the headers of Debian 12 (Linux 6.1) are too old for. */
const NEWER_THAN_HEADERS: readonly SyscallName[] = [];

const names = Object.keys(SYSCALLS).filter((name): name is SyscallName => name in SYSCALLS);

function testWithHeader(
  title: string,
  header: string,
  body: (numbers: Map<string, number>) => void,
) {
  if (existsSync(header)) test(title, () => body(numbersIn(readFileSync(header, "utf8"))));
  else test.skip(`${title} (needs ${header}: Debian package linux-libc-dev:amd64)`, () => {});
}

/** `#define __NR_read 63`, and `#define __NR_fcntl __NR3264_fcntl` for what 32-bit machines differ in. */
function numbersIn(header: string): Map<string, number> {
  const words = new Map<string, string>();
  for (const [, name = "", word = ""] of header.matchAll(/^#define __NR(\w+)[ \t]+(\w+)/gm)) {
    words.set(`__NR${name}`, word);
  }
  const numbers = new Map<string, number>();
  for (const [name, word] of words) {
    const number = Number(words.get(word) ?? word);
    if (Number.isInteger(number)) numbers.set(name.replace(/^__NR_/, ""), number);
  }
  return numbers;
}

testWithHeader("the numbers for x86_64 are those of the machine's header", X86_64, (numbers) => {
  expect(numbers.size).toBeGreaterThan(300);
  compare(numbers, (name) => syscallNumber(name, "x86_64"));
});

testWithHeader("the numbers for arm64 are those of the generic header", GENERIC, (numbers) => {
  expect(numbers.size).toBeGreaterThan(250);
  compare(numbers, (name) => syscallNumber(name, "arm64"));
});

function compare(numbers: Map<string, number>, ours: (name: SyscallName) => number): void {
  const known = names.filter((name) => numbers.has(name));
  expect(names.filter((name) => !numbers.has(name))).toEqual([...NEWER_THAN_HEADERS]);
  expect(known.map((name) => `${name} ${ours(name)}`)).toEqual(
    known.map((name) => `${name} ${numbers.get(name)}`),
  );
}

test("no two rows have the same number", () => {
  for (const arch of ["x86_64", "arm64"] as const) {
    expect(new Set(names.map((name) => syscallNumber(name, arch))).size).toBe(names.length);
  }
});

test("no call has more arguments than the kernel takes", () => {
  for (const name of names) expect(argumentKinds(name).length).toBeLessThanOrEqual(6);
});
