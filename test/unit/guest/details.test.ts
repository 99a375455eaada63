import { describe, expect, test } from "bun:test";
import { hasMemoryProbe, memoryBlockSize } from "../../../src/guest/details.ts";
import { KernelFiles } from "../../support/kernel-files.ts";

describe("the size of a block of memory", () => {
  test.each([
    ["10000000\n", 268_435_456n],
    ["100", 256n],
    ["8000000\n", 134_217_728n],
  ])("is hexadecimal: %j", (text, size) => {
    using files = new KernelFiles({ block_size_bytes: text });
    expect(memoryBlockSize(files.directory)).toBe(size);
  });

  test("is 0 where memory does not come and go", () => {
    using files = new KernelFiles();
    expect(memoryBlockSize(files.directory)).toBe(0n);
  });

  test.each(["", "-1", "    ", "some data", "0x100", "1".repeat(17)])("is not %j", (text) => {
    using files = new KernelFiles({ block_size_bytes: text });
    expect(() => memoryBlockSize(files.directory)).toThrow("Invalid block size");
  });
});

test("memory is announced by its address where the kernel has a file for that", () => {
  using files = new KernelFiles();
  expect(hasMemoryProbe(files.directory)).toBe(false);
  files.write("probe", "");
  expect(hasMemoryProbe(files.directory)).toBe(true);
});
