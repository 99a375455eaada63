import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  hasName,
  listDirectories,
  makeDirectory,
  readText,
  removeDirectory,
  writeText,
} from "../../../src/kernel/file.ts";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-file-"));
const at = (name: string) => join(directory, name);

afterAll(() => rmSync(directory, { recursive: true }));

test("a text is read whole, also if it is longer than one read", () => {
  const text = "0123456789ä\n".repeat(20_000);
  writeFileSync(at("long"), text);
  expect(readText(at("long"))).toBe(text);
});

test("a file that has no size is read to its end", () => {
  expect(readText("/proc/self/mountinfo")).toContain(" /proc ");
});

test("a name is there also where it is that of a link that leads nowhere", () => {
  symlinkSync("/nowhere", at("dangling"));
  expect([hasName(at("dangling")), hasName(at("absent"))]).toEqual([true, false]);
  expect(() => hasName(`/proc/self/status/x`)).toThrow("look for /proc/self/status/x: ENOTDIR");
});

test("a text is written to a file that exists", () => {
  writeFileSync(at("state"), "");
  writeText(at("state"), "FROZEN");
  expect(readFileSync(at("state"), "utf8")).toBe("FROZEN");
});

test("a file that does not exist is not made, and the error names what was to be written", () => {
  expect(() => writeText(at("absent"), "1")).toThrow(
    `write 1 to ${at("absent")}: ENOENT: No such file or directory`,
  );
  expect(() => readText(at("absent"))).toThrow(`read ${at("absent")}: ENOENT`);
});

test("directories are listed, other files are not", () => {
  mkdirSync(at("many"));
  writeFileSync(at("many/file"), "");
  // More than fit into one answer of the kernel.
  const names = Array.from({ length: 2000 }, (_, index) => `${index}-${"x".repeat(40)}`);
  for (const name of names) mkdirSync(at(`many/${name}`));
  expect(listDirectories(at("many")).toSorted()).toEqual(names.toSorted());
});

test("what is no directory is not listed", () => {
  writeFileSync(at("plain"), "");
  expect(() => listDirectories(at("plain"))).toThrow("ENOTDIR: Not a directory");
});

test("a directory is made once and removed once", () => {
  expect(makeDirectory(at("new"))).toBe(true);
  expect(makeDirectory(at("new"))).toBe(false);
  expect(removeDirectory(at("new"))).toBe(true);
  expect(removeDirectory(at("new"))).toBe(false);
});

test("what cannot be made or removed is an error that names it", () => {
  expect(() => makeDirectory(at("absent/new"))).toThrow(
    `make directory ${at("absent/new")}: ENOENT`,
  );
  expect(() => removeDirectory(directory)).toThrow(`remove directory ${directory}: ENOTEMPTY`);
});
