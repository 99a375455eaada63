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

test("many sections hold up nothing else", async () => {
  using sysfs = new KernelFiles({ probe: "" });
  let [before, longest] = [performance.now(), 0];
  const look = setInterval(() => {
    const now = performance.now();
    [longest, before] = [Math.max(longest, now - before), now];
  }, 1);
  const began = performance.now();
  await probeMemory(
    Array.from({ length: 8192 }, () => 0n),
    signal,
    sysfs,
  );
  const took = performance.now() - began;
  clearInterval(look);
  // All in one go there would be no look until the end.
  expect(Math.max(longest, performance.now() - before)).toBeLessThan(took / 2);
});
