import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  hasName,
  listDirectories,
  makeDirectory,
  readText,
  readTextAsync,
  removeDirectory,
  writeText,
  writeTextAsync,
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

test("off the event loop what cannot be read is undefined", async () => {
  writeFileSync(at("read"), "text ä\n");
  expect(await readTextAsync(at("read"))).toBe("text ä\n");
  expect(await readTextAsync("/proc/self/status")).toContain(`Pid:\t${process.pid}\n`);
  expect(await readTextAsync(at("absent"))).toBeUndefined();
  expect(await readTextAsync(directory)).toBeUndefined();
});

test("off the event loop a write is to a file that is there, or an error that names it", async () => {
  writeFileSync(at("written"), "");
  await writeTextAsync(at("written"), "text");
  expect(readFileSync(at("written"), "utf8")).toBe("text");
  await expect(writeTextAsync(at("absent"), "5")).rejects.toThrow(
    `write 5 to ${at("absent")}: ENOENT: No such file or directory`,
  );
  // The call itself is refused, not the opening of the file.
  await expect(writeTextAsync("/dev/full", "5")).rejects.toThrow("write 5 to /dev/full: ENOSPC");
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
