import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { probeMemory } from "../../../src/guest/memory-probe.ts";
import { reapInThisFile } from "../../support/child.ts";
import { KernelFiles } from "../../support/kernel-files.ts";

reapInThisFile();

const { signal } = new AbortController();

test("each section is announced by its address, in upper case and with 0x before it", async () => {
  using sysfs = new KernelFiles({ probe: "" });
  await probeMemory([0x4_8000_0000n, 0xabcd_ef00n], signal, sysfs);
  expect(readFileSync(`${sysfs.directory}/probe`, "utf8")).toBe("0x4800000000xABCDEF00");
});

test("no sections are no work", async () => {
  await probeMemory([], signal, { directory: "/nowhere/at/all" });
});

test("a kernel that asks for none of this says so", async () => {
  using sysfs = new KernelFiles();
  const refused = probeMemory([0n], signal, sysfs);
  await expect(refused).rejects.toThrow(`open ${sysfs.directory}/probe: ENOENT`);
});

test("more sections than a machine has are refused", async () => {
  const many = Array.from({ length: 32_769 }, () => 0n);
  await expect(probeMemory(many, signal)).rejects.toThrow("32769 memory sections");
});
