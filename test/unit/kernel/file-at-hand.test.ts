import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fd } from "../../../src/kernel/fd.ts";
import { readAtHand } from "../../../src/kernel/file-at-hand.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { O } from "../../../src/linux/open-flags.ts";

const MOST = 1 << 20;

describe("a file at hand", () => {
  let root = "";

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "kata-agent-at-hand-"));
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "etc/file"), "text ä\n".repeat(5000));
    symlinkSync("/etc/passwd", join(root, "out"));
    writeFileSync(join(root, "empty"), "");
  });

  afterAll(() => rmSync(root, { recursive: true }));

  /** Undefined where this machine keeps its files somewhere else, or its kernel cannot be asked. */
  const read = (path: string, most = MOST) => readAtHand(root, path, most);
  const isSupported = () => read("/empty") === "";

  test("is read by a path and by a descriptor of its root", () => {
    if (!isSupported()) return;
    const text = readFileSync(join(root, "etc/file"), "utf8");
    expect(read("/etc/file")).toBe(text);
    const open = openat(AT_FDCWD, root, O.PATH | O.DIRECTORY);
    using directory = Fd.of("open the root", open);
    expect(readAtHand(directory, "/etc/file", MOST)).toBe(text);
    expect(directory.isOpen).toBe(true);
  });

  test("is not found outside by a link", () => {
    expect(read("/out")).toBeUndefined();
  });

  test("is not one that is too long, no file, or not there", () => {
    expect(read("/etc/file", 100)).toBeUndefined();
    expect(read("/etc")).toBeUndefined();
    expect(read("/nothing")).toBeUndefined();
    expect(readAtHand("/nowhere", "/file", MOST)).toBeUndefined();
  });

  test("is none of procfs, whoever serves that", () => {
    expect(readAtHand("/proc", "/version", MOST)).toBeUndefined();
  });
});
