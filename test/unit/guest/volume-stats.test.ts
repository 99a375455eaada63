import { describe, expect, test } from "bun:test";
import { statfsSync } from "node:fs";
import { volumeStats, volumeStatsIn } from "../../../src/guest/volume-stats.ts";
import { reapInThisFile } from "../../support/child.ts";

reapInThisFile();

const { signal } = new AbortController();

/** struct statfs with these words; the rest is 0. */
function statfsOf(words: Readonly<Record<number, bigint>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(120));
  for (const [index, word] of Object.entries(words))
    view.setBigUint64(8 * Number(index), word, true);
  return new Uint8Array(view.buffer);
}

describe("how full a volume is", () => {
  test("is said of the file system that a path is on", async () => {
    const { bytes, inodes } = await volumeStats("/tmp", signal);
    const status = statfsSync("/tmp");
    expect(bytes.total).toBe(BigInt(status.blocks) * BigInt(status.bsize));
    expect(inodes.total).toBe(BigInt(status.files));
    expect(bytes.used + bytes.available).toBe(bytes.total);
  });

  test("is counted in fragments, and in blocks where there are none", () => {
    const words = { 1: 1_048_576n, 2: 100n, 3: 40n, 5: 10n, 6: 4n };
    expect(volumeStatsIn(statfsOf({ ...words, 9: 4096n }))).toEqual({
      bytes: { total: 409_600n, available: 163_840n, used: 245_760n },
      inodes: { total: 10n, available: 4n, used: 6n },
    });
    expect(volumeStatsIn(statfsOf(words)).bytes.total).toBe(104_857_600n);
  });

  test("is never less than nothing", () => {
    const { inodes } = volumeStatsIn(statfsOf({ 1: 4096n, 5: 0n, 6: 7n }));
    expect(inodes).toEqual({ total: 0n, available: 0n, used: 0n });
  });

  test.each([
    ["tmp", "is not absolute"],
    ["/tmp/../etc", "contains '..'"],
    ["/tmp\0", "contains a NUL"],
    [`/${"x".repeat(4096)}`, "is longer than 4095"],
    ["/nowhere/at/all", "ENOENT"],
  ])("is not said of %j", async (path, why) => {
    await expect(volumeStats(path, signal)).rejects.toThrow(why);
  });

  test("is not said of what a link of procfs leads to", async () => {
    await expect(volumeStats("/proc/self/fd/0", signal)).rejects.toThrow(/ELOOP|ENOENT/);
  });
});
