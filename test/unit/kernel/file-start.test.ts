import { spawnSync } from "node:child_process";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileStart } from "../../../src/kernel/file-start.ts";

const top = mkdtempSync(join(tmpdir(), "start-"));
afterAll(() => rmSync(top, { recursive: true }));

const at = (name: string) => join(top, name);
const read = async (name: string, most: number) => {
  const bytes = await readFileStart(at(name), most);
  return bytes && Buffer.from(bytes).toString();
};

test("a file is read as far as is asked for, also through a link", async () => {
  writeFileSync(at("file"), "0123456789");
  symlinkSync("file", at("link"));
  expect(await read("file", 4)).toBe("0123");
  expect(await read("link", 100)).toBe("0123456789");
  writeFileSync(at("empty"), "");
  expect(await read("empty", 4)).toBe("");
});

test("a file that is not there is none; what is no file is not opened", async () => {
  expect(await read("nowhere", 4)).toBeUndefined();
  spawnSync("mkfifo", [at("fifo")]);
  await expect(read("fifo", 4)).rejects.toThrow("fifo is not a regular file");
  await expect(readFileStart(top, 4)).rejects.toThrow("is not a regular file");
  await expect(readFileStart("/dev/zero", 4)).rejects.toThrow("/dev/zero is not a regular file");
});
