import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTree } from "../../../src/kernel/directory.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { O } from "../../../src/linux/open-flags.ts";

const top = mkdtempSync(join(tmpdir(), "tree-"));
mkdirSync(join(top, "b/c"), { recursive: true, mode: 0o755 });
writeFileSync(join(top, "b/file"), "12345", { mode: 0o640 });
symlinkSync("/", join(top, "a"));
spawnSync("mkfifo", [join(top, "b/fifo")]);
afterAll(() => rmSync(top, { recursive: true }));

const LIMITS = { entries: 5, bytes: 5, depth: 3 };
const owner = { uid: process.getuid?.(), gid: process.getgid?.() };

async function tree(limits = LIMITS) {
  using directory = Fd.of("open it", openat(AT_FDCWD, top, O.PATH | O.DIRECTORY));
  return await readTree(directory, limits);
}

test("a tree has its directories, files and links, in order, and nothing else", async () => {
  expect(await tree()).toMatchObject([
    { name: "a", kind: "link", target: "/" },
    {
      name: "b",
      kind: "directory",
      mode: 0o755,
      ...owner,
      entries: [
        { name: "c", kind: "directory", entries: [] },
        { name: "file", kind: "file", mode: 0o640, size: 5 },
      ],
    },
  ]);
});

test.each([
  ["entries", { ...LIMITS, entries: 4 }, "too many entries"],
  ["bytes", { ...LIMITS, bytes: 4 }, "too many bytes"],
  ["depth", { ...LIMITS, depth: 2 }, "directories too deep"],
])("a tree beyond its limit of %s is refused", async (_, limits, message) => {
  await expect(tree(limits)).rejects.toThrow(message);
});
