import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { until } from "../../../src/async/until.ts";
import { MemoryAgent } from "../../../src/guest/memory-agent.ts";
import {
  type CompactSettings,
  type ReclaimSettings,
  changeCompact,
  changeReclaim,
} from "../../../src/guest/memory-agent-settings.ts";
import { Compaction, movablePagesBelow } from "../../../src/guest/memory-compaction.ts";
import { swappinessFor } from "../../../src/guest/memory-reclaim.ts";
import { reapInThisFile } from "../../support/child.ts";
import { KernelFiles } from "../../support/kernel-files.ts";

reapInThisFile();

const { signal } = new AbortController();

const RECLAIM: ReclaimSettings = {
  disabled: false,
  swap: false,
  swappinessMax: 50,
  periodSecs: 600n,
  periodPsiPercentLimit: 1,
  evictionPsiPercentLimit: 1,
  evictionRunAgingCountMin: 3n,
};

const COMPACT: CompactSettings = {
  disabled: false,
  periodSecs: 600n,
  periodPsiPercentLimit: 1,
  compactPsiPercentLimit: 5,
  compactSecMax: 300n,
  compactOrder: 9,
  compactThreshold: 1024n,
  compactForceTimes: 2n ** 63n - 1n,
};

const PAGES = `Page block order: 9

Free pages count per migrate type at order       0      1      2
Node    0, zone      DMA, type    Unmovable      1      1      1
Node    0, zone      DMA, type      Movable     10      3      1
Node    0, zone   Normal, type      Movable      1    >100000      7

Number of blocks type     Unmovable      Movable
Node 0, zone      DMA            3            1
`;

describe("settings", () => {
  test("change by what is said, and by nothing else", () => {
    const changed = changeReclaim(RECLAIM, { swap: true, periodSecs: 5n, disabled: undefined });
    expect(changed).toEqual({ ...RECLAIM, swap: true, periodSecs: 5n });
    expect(changeCompact(COMPACT, { compactOrder: 3 })).toEqual({ ...COMPACT, compactOrder: 3 });
  });

  test("of more than 8 bits are refused, where Kata's agent takes what is left of them", () => {
    expect(() => changeReclaim(RECLAIM, { swappinessMax: 256 })).toThrow("swappiness_max: 256");
    expect(() => changeCompact(COMPACT, { compactOrder: 300 })).toThrow("compact_order: 300");
  });
});

describe("swappiness", () => {
  test.each([
    [100, 100, true, 50],
    [10, 90, true, 20],
    [100, 0, true, 200],
    [0, 100, true, 0],
    [100, 100, false, 0],
  ])(
    "of %p pages of anonymous memory and %p of files, swap %p: %p",
    (anon, file, can, expected) => {
      expect(swappinessFor({ anon, file }, can, RECLAIM)).toBe(expected);
    },
  );
});

describe("compaction", () => {
  test("counts the free pages that can be moved, in pieces that are too small", () => {
    expect(movablePagesBelow(2, PAGES)).toBe(10n + 6n + 1n + 200_000n);
    expect(movablePagesBelow(0, PAGES)).toBe(0n);
    expect(movablePagesBelow(9, "nothing of the kind")).toBe(0n);
  });

  const filesOf = (pages: string) =>
    new KernelFiles({
      "proc/meminfo": "MemFree:  1000 kB\n",
      "proc/pagetypeinfo": pages,
      "proc/sys/vm/compact_memory": "",
      "cgroup/memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
      "cgroup/io.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
    });
  const placesIn = ({ directory }: KernelFiles) => ({
    lruGen: `${directory}/lru_gen`,
    cgroups: `${directory}/cgroup`,
    proc: `${directory}/proc`,
  });
  const commandIn = ({ directory }: KernelFiles) =>
    readFileSync(`${directory}/proc/sys/vm/compact_memory`, "utf8");

  test("is asked for where free memory is in pieces, and once", async () => {
    using files = filesOf(PAGES);
    const compaction = new Compaction(placesIn(files));
    expect(await compaction.run(COMPACT, signal)).toBe(true);
    expect(commandIn(files)).toBe("1");
    expect(await compaction.run(COMPACT, signal)).toBe(false);
  });

  test("is not asked for without need, until it has been left out often enough", async () => {
    using files = filesOf("");
    const compaction = new Compaction(placesIn(files));
    const settings = { ...COMPACT, compactForceTimes: 2n };
    expect(await compaction.run(settings, signal)).toBe(false);
    expect(await compaction.run(settings, signal)).toBe(false);
    expect(await compaction.run(settings, signal)).toBe(true);
  });

  test("is not asked for while somebody waits for memory", async () => {
    using files = filesOf(PAGES);
    const compaction = new Compaction(placesIn(files));
    files.write("cgroup/memory.pressure", "some avg10=0.00 total=1000000000\n");
    expect(await compaction.run(COMPACT, signal)).toBe(false);
    expect(commandIn(files)).toBe("");
  });

  test("is begun by the agent, again when a host changes its mind, and not after its end", async () => {
    using files = filesOf(PAGES);
    const errors: unknown[] = [];
    const settings = { reclaim: RECLAIM, compact: COMPACT };
    const agent = new MemoryAgent(placesIn(files), settings, (what) => errors.push(what));
    expect(await until(() => commandIn(files) === "1", 5_000)).toBe(true);
    // There is no such file.
    expect(await until(() => errors.length > 0, 5_000)).toBe(true);
    expect(errors).toEqual(["reclaim memory"]);
    agent.changeCompact({ compactForceTimes: 0n, periodSecs: 0n });
    files.write("proc/sys/vm/compact_memory", "");
    expect(await until(() => commandIn(files) === "1", 5_000)).toBe(true);
    agent[Symbol.dispose]();
  });
});
