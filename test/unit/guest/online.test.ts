import { describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { onlineMemory, onlineMemoryToCome, onlineProcessors } from "../../../src/guest/online.ts";
import { reapInThisFile } from "../../support/child.ts";
import { KernelFiles } from "../../support/kernel-files.ts";

reapInThisFile();

const { signal } = new AbortController();

/** Directories `kind`0 and on, with these texts in their files `online`; undefined for none. */
function sysfsOf(kind: "cpu" | "memory", states: readonly (string | undefined)[]): KernelFiles {
  const sysfs = new KernelFiles({ online: "\n" });
  for (const [number, state] of states.entries())
    sysfs.write(`${kind}${number}/${state === undefined ? "other" : "online"}`, state ?? "");
  return sysfs;
}

function switchedIn({ directory }: KernelFiles, kind: string, count: number): number {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const text = (number: number) => {
    try {
      return readFileSync(`${directory}/${kind}${number}/online`, "utf8");
    } catch {
      return "";
    }
  };
  // The kernel would answer with a newline at the end.
  return numbers.filter((number) => text(number) === "1\n").length;
}

const off = (count: number) => Array.from({ length: count }, () => "0\n");

describe("processors", () => {
  const options = (sysfs: KernelFiles) => ({ directory: sysfs.directory, patienceMs: 0 });

  test.each([
    [4, off(4), 4],
    [4, [], 0],
    [4, off(10), 4],
    [5, [...off(4), undefined], 4],
    [3, [undefined, undefined, undefined], 0],
    [1, ["1"], 0],
    [3, [...off(2), "1"], 2],
  ])("%p of %j are wanted: %p are switched on", async (wanted, states, switched) => {
    using sysfs = sysfsOf("cpu", states);
    const failed = onlineProcessors(wanted, signal, options(sysfs));
    await expect(failed).rejects.toThrow(`failed to online ${wanted} CPU(s) after 100 retries`);
    expect(switchedIn(sysfs, "cpu", states.length)).toBe(switched);
  });

  test("are left alone where there are enough", async () => {
    using sysfs = sysfsOf("cpu", off(4));
    sysfs.write("online", "0-1,4\n");
    await onlineProcessors(3, signal, options(sysfs));
    expect(switchedIn(sysfs, "cpu", 4)).toBe(0);
  });

  test("may come late", async () => {
    using sysfs = sysfsOf("cpu", [undefined]);
    const online = onlineProcessors(2, signal, { directory: sysfs.directory });
    sysfs.write("cpu1/online", "0\n");
    setImmediate(() => sysfs.write("online", "0-1\n"));
    await online;
  });

  test("have directories of exactly this name", async () => {
    using sysfs = new KernelFiles({
      online: "\n",
      "cpufreq0/online": "0\n",
      "xcpu1/online": "0\n",
    });
    await expect(onlineProcessors(1, signal, options(sysfs))).rejects.toThrow("0 of 1 are online");
    expect(readFileSync(`${sysfs.directory}/xcpu1/online`, "utf8")).toBe("0\n");
  });

  test("are waited for no longer than the caller waits", async () => {
    using sysfs = sysfsOf("cpu", []);
    const caller = new AbortController();
    const waiting = onlineProcessors(1, caller.signal, { directory: sysfs.directory });
    caller.abort(new Error("the caller has gone"));
    await expect(waiting).rejects.toThrow("the caller has gone");
  });
});

describe("memory", () => {
  test("is switched on block by block, all there is", async () => {
    using sysfs = sysfsOf("memory", [...off(70), undefined, "1\n"]);
    expect(await onlineMemory(signal, sysfs)).toBe(0);
    expect(switchedIn(sysfs, "memory", 72)).toBe(71);
  });

  test("that the kernel refuses is counted, and keeps nobody else offline", async () => {
    using sysfs = sysfsOf("memory", ["0\n", undefined, "0\n"]);
    // Reads as 0, and cannot be written by anybody.
    symlinkSync("/sys/class/net/lo/carrier_changes", `${sysfs.directory}/memory1/online`);
    expect(await onlineMemory(signal, sysfs)).toBe(1);
    expect(switchedIn(sysfs, "memory", 3)).toBe(2);
  });

  test("cannot be looked for where the kernel knows none that comes and goes", async () => {
    const missing = { directory: "/nowhere/at/all" };
    await expect(onlineMemory(signal, missing)).rejects.toThrow("list /nowhere/at/all: ENOENT");
  });

  test.each([
    ["offline\n", "online"],
    ["online_movable\n", "online_movable\n"],
  ])("that is to come: %p becomes %p", (before, after) => {
    using sysfs = new KernelFiles({ auto_online_blocks: before });
    onlineMemoryToCome(sysfs.directory);
    expect(
      readFileSync(`${sysfs.directory}/auto_online_blocks`, "utf8").slice(0, after.length),
    ).toBe(after);
  });

  test("that is to come is nobody's business on other kernels", () => {
    using sysfs = new KernelFiles();
    onlineMemoryToCome(sysfs.directory);
  });
});
