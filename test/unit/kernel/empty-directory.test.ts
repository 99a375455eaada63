import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyDirectory } from "../../../src/kernel/empty-directory.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { O } from "../../../src/linux/open-flags.ts";

const top = mkdtempSync(join(tmpdir(), "empty-"));
const full = join(top, "full");
beforeEach(() => {
  rmSync(full, { recursive: true, force: true });
  mkdirSync(full);
});
afterAll(() => rmSync(top, { recursive: true }));

async function empty(): Promise<void> {
  using directory = Fd.of("open it", openat(AT_FDCWD, full, O.PATH | O.DIRECTORY));
  await emptyDirectory(directory);
}

test("all below a directory is removed, links are not followed, and it stays itself", async () => {
  mkdirSync(join(full, "a/b/c"), { recursive: true });
  for (let i = 0; i < 300; i++) writeFileSync(join(full, `a/b/${i}`), "");
  writeFileSync(join(top, "outside"), "");
  mkdirSync(join(top, "beside/x"), { recursive: true });
  symlinkSync(join(top, "outside"), join(full, "a/file"));
  symlinkSync(join(top, "beside"), join(full, "a/directory"));
  await empty();
  expect(readdirSync(full)).toEqual([]);
  expect(existsSync(join(top, "outside"))).toBe(true);
  expect(existsSync(join(top, "beside/x"))).toBe(true);
});

test("directories in one another go, even those that no path leads to", async () => {
  const [one, two] = ["one", "two"].map((name) => join(full, name, "d/".repeat(1900)));
  for (const path of [one, two]) mkdirSync(path ?? "", { recursive: true });
  renameSync(join(full, "two"), join(one ?? "", "two"));
  writeFileSync(join(full, "one/d/file"), "");
  await empty();
  expect(readdirSync(full)).toEqual([]);
});
