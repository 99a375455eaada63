// What the kernel's files say, as recorded on both versions, and whatever else they might.
import { describe, expect, test } from "bun:test";
import { limitIn, numberIn, pairsIn } from "../../../src/cgroup/stats.ts";
import { statFilesV1, statsV1 } from "../../../src/cgroup/stats-v1.ts";
import { statFilesV2, statsV2 } from "../../../src/cgroup/stats-v2.ts";
import { pick, randomText, seeded } from "../../support/random.ts";

const U64_MAX = 18_446_744_073_709_551_615n;

test.each([
  ["12\n", 12n],
  ["18446744073709551615\n", U64_MAX],
  ["99999999999999999999", U64_MAX],
  ["max\n", 0n],
  ["-1\n", 0n],
  ["1 2\n", 0n],
  ["", 0n],
  [undefined, 0n],
])("%p is the number %p", (text, number) => {
  expect(numberIn(text)).toBe(number);
});

test("max is no limit", () => {
  expect([limitIn("max\n"), limitIn("5\n"), limitIn(undefined)]).toEqual([U64_MAX, 5n, 0n]);
});

test("pairs are lines of two columns with a number, and no others", () => {
  const text = "a 1\nb  2\nc -3\nd 4 5\ne\n\n6\nf x\n__proto__ 7\nlow 18446744073709551616\n";
  expect(pairsIn(text)).toEqual({ a: 1n, b: 2n, low: U64_MAX });
});

const entries = (device: readonly [bigint, bigint], values: Readonly<Record<string, bigint>>) =>
  Object.entries(values).map(([op, value]) => ({ major: device[0], minor: device[1], op, value }));

describe("v1", () => {
  const CONTROLLERS = ["blkio", "memory", "pids", "cpuacct", "cpu", "hugetlb"] as const;
  const FILES = new Map([
    ["cpuacct.usage", "1234567890\n"],
    ["cpuacct.usage_percpu", "1000 234 \n"],
    ["cpuacct.stat", "user 12\nsystem 34\n"],
    [
      "cpu.stat",
      "nr_periods 5\nnr_throttled 2\nthrottled_time 987654321\nnr_bursts 0\nburst_time 0\n",
    ],
    ["memory.usage_in_bytes", "1\n"],
    ["memory.max_usage_in_bytes", "2\n"],
    ["memory.failcnt", "3\n"],
    ["memory.limit_in_bytes", "9223372036854771712\n"],
    ["memory.memsw.usage_in_bytes", "5\n"],
    ["memory.memsw.max_usage_in_bytes", "6\n"],
    ["memory.memsw.failcnt", "7\n"],
    ["memory.memsw.limit_in_bytes", "8\n"],
    ["memory.kmem.usage_in_bytes", "9\n"],
    ["memory.kmem.max_usage_in_bytes", "10\n"],
    ["memory.kmem.failcnt", "11\n"],
    ["memory.kmem.limit_in_bytes", "12\n"],
    ["memory.stat", "cache 100\nrss 200\ntotal_cache 300\n"],
    ["memory.use_hierarchy", "1\n"],
    ["pids.current", "3\n"],
    ["pids.max", "max\n"],
    [
      "blkio.throttle.io_service_bytes",
      "254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 4096\n254:0 Async 8192\n254:0 Discard 0\n" +
        "254:0 Total 12288\n0:41 Read 7\n70000:1048575 Total 9\nTotal 12288\n",
    ],
    ["blkio.throttle.io_serviced", "254:0 Read 1\n254:0 Total 1\nTotal 1\n"],
    ["hugetlb.2MB.usage_in_bytes", "2097152\n"],
    ["hugetlb.2MB.max_usage_in_bytes", "4194304\n"],
    ["hugetlb.2MB.failcnt", "1\n"],
  ]);

  test("every number comes from its file", () => {
    const none = { read: 0n, write: 0n, sync: 0n, async: 0n, total: 0n };
    expect(statsV1(FILES, CONTROLLERS, ["2MB", "1GB"])).toEqual({
      cpu: {
        total: 1_234_567_890n,
        perCpu: [1000n, 234n],
        user: 120_000_000n,
        system: 340_000_000n,
      },
      throttling: { periods: 5n, throttledPeriods: 2n, throttledTime: 987_654_321n },
      memory: {
        cache: 100n,
        useHierarchy: true,
        memory: { usage: 1n, maxUsage: 2n, failcnt: 3n, limit: 9_223_372_036_854_771_712n },
        swap: { usage: 5n, maxUsage: 6n, failcnt: 7n, limit: 8n },
        kernel: { usage: 9n, maxUsage: 10n, failcnt: 11n, limit: 12n },
        stat: { cache: 100n, rss: 200n, total_cache: 300n },
      },
      pids: { current: 3n, limit: 0n },
      blockIO: {
        serviceBytes: [
          ...entries([254n, 0n], {
            read: 4096n,
            write: 8192n,
            sync: 4096n,
            async: 8192n,
            total: 12_288n,
          }),
          ...entries([70_000n, 1_048_575n], { ...none, total: 9n }),
        ],
        serviced: entries([254n, 0n], { ...none, read: 1n, total: 1n }),
        queued: [],
        serviceTime: [],
        waitTime: [],
        merged: [],
        time: [],
        sectors: [],
      },
      hugetlb: {
        "2MB": { usage: 2_097_152n, maxUsage: 4_194_304n, failcnt: 1n },
        "1GB": { usage: 0n, maxUsage: 0n, failcnt: 0n },
      },
    });
  });

  test("the scheduler's counters are told where there are any", () => {
    const one = (value: number) => `8:0 Total ${value}\nTotal ${value}\n`;
    const files = new Map([
      ...FILES,
      ["blkio.io_service_bytes_recursive", one(1)],
      ["blkio.io_serviced_recursive", one(2)],
      ["blkio.io_queued_recursive", one(3)],
      ["blkio.io_service_time_recursive", one(4)],
      ["blkio.io_wait_time_recursive", one(5)],
      ["blkio.io_merged_recursive", one(6)],
      ["blkio.time_recursive", "8:0 7\n0:3 1\n"],
      ["blkio.sectors_recursive", "8:0 8\n"],
    ]);
    const { blockIO } = statsV1(files, CONTROLLERS, []);
    const totals = Object.entries(blockIO ?? {}).map(([list, all]) => [list, all.at(-1)?.value]);
    expect(Object.fromEntries(totals)).toEqual({
      serviceBytes: 1n,
      serviced: 2n,
      queued: 3n,
      serviceTime: 4n,
      waitTime: 5n,
      merged: 6n,
      time: 7n,
      sectors: 8n,
    });
    expect(blockIO?.time).toEqual([{ major: 8n, minor: 0n, op: "", value: 7n }]);
  });

  test("what has no controller is absent, what has no file is zero", () => {
    expect(statsV1(FILES, [], ["2MB"])).toEqual({ hugetlb: {} });
    const { cpu, throttling, memory, pids } = statsV1(new Map(), CONTROLLERS, []);
    const zero = { usage: 0n, maxUsage: 0n, failcnt: 0n, limit: 0n };
    expect([cpu, throttling, memory, pids]).toEqual([
      { total: 0n, perCpu: [], user: 0n, system: 0n },
      { periods: 0n, throttledPeriods: 0n, throttledTime: 0n },
      { cache: 0n, useHierarchy: false, memory: zero, swap: zero, kernel: zero, stat: {} },
      { current: 0n, limit: 0n },
    ]);
  });

  test("no file is read twice", () => {
    const names = statFilesV1(["2MB", "1GB"]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of FILES.keys()) expect(names).toContain(name);
  });
});

describe("v2", () => {
  const FILES = new Map([
    ["cgroup.controllers", "cpuset cpu io memory hugetlb pids\n"],
    [
      "cpu.stat",
      "usage_usec 1000\nuser_usec 600\nsystem_usec 400\nnice_usec 0\nnr_periods 5\n" +
        "nr_throttled 2\nthrottled_usec 77\n",
    ],
    ["memory.current", "1\n"],
    ["memory.peak", "2\n"],
    ["memory.events", "low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\n"],
    ["memory.max", "max\n"],
    ["memory.swap.current", "5\n"],
    ["memory.swap.peak", "6\n"],
    ["memory.swap.events", "high 0\nmax 0\nfail 7\n"],
    ["memory.swap.max", "max\n"],
    ["memory.stat", "anon 10\nfile 20\nslab 30\n"],
    ["pids.current", "3\n"],
    ["pids.max", "99\n"],
    [
      "io.stat",
      "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n" +
        "8:16 \n" +
        "70000:1048575 wios=9 cost.usage=7 rbytes=8\n",
    ],
    ["hugetlb.2MB.current", "2097152\n"],
    ["hugetlb.2MB.events", "max 4\n"],
  ]);

  test("every number comes from its file, throttled time and I/O included (D32, D33)", () => {
    const none = { queued: [], serviceTime: [], waitTime: [], merged: [], time: [], sectors: [] };
    expect(statsV2(FILES, ["2MB"])).toEqual({
      cpu: { total: 1_000_000n, perCpu: [], user: 600_000n, system: 400_000n },
      throttling: { periods: 5n, throttledPeriods: 2n, throttledTime: 77_000n },
      memory: {
        cache: 20n,
        useHierarchy: false,
        memory: { usage: 1n, maxUsage: 2n, failcnt: 3n, limit: U64_MAX },
        swap: { usage: 5n, maxUsage: 6n, failcnt: 7n, limit: U64_MAX },
        kernel: { usage: 0n, maxUsage: 0n, failcnt: 0n, limit: U64_MAX },
        stat: { anon: 10n, file: 20n, slab: 30n },
      },
      pids: { current: 3n, limit: 99n },
      blockIO: {
        ...none,
        serviced: [],
        serviceBytes: [
          ...entries([254n, 0n], {
            read: 1n,
            write: 2n,
            rios: 3n,
            wios: 4n,
            dbytes: 5n,
            dios: 6n,
          }),
          ...entries([70_000n, 1_048_575n], {
            read: 8n,
            write: 0n,
            rios: 0n,
            wios: 9n,
            dbytes: 0n,
            dios: 0n,
          }),
        ],
      },
      hugetlb: { "2MB": { usage: 2_097_152n, maxUsage: 0n, failcnt: 4n } },
    });
  });

  test("what has no controller is absent; times are there without one", () => {
    expect(statsV2(new Map(), ["2MB"])).toEqual({ hugetlb: {} });
    const files = new Map([["cpu.stat", "usage_usec 1\nuser_usec 1\nsystem_usec 0\n"]]);
    expect(statsV2(files, ["2MB"])).toEqual({
      cpu: { total: 1000n, perCpu: [], user: 1000n, system: 0n },
      hugetlb: {},
    });
  });

  test("no file is read twice", () => {
    const names = statFilesV2(["2MB", "1GB"]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of FILES.keys()) expect(names).toContain(name);
  });
});

/** Every number that there is in `value`, however deep. */
function numbersIn(value: unknown): bigint[] {
  if (typeof value === "bigint") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
}

test("whatever the files hold, every number fits into 64 bits", () => {
  const random = seeded(7);
  const words = [
    "8:0",
    "0:1",
    "Read",
    "Total",
    "max",
    "-1",
    "rbytes=",
    "=",
    ":",
    "cache",
    "usage_usec",
    "99999999999999999999",
    "user",
    "low",
    "\t",
  ];
  const line = () => `${pick(random, ["user", "usage_usec", "throttled_usec"])} ${"9".repeat(20)}`;
  const text = () =>
    Array.from({ length: Math.floor(random() * 30) }, () =>
      random() < 0.2 ? `${randomText(random, 8)}\n${line()}\n` : pick(random, words),
    ).join(pick(random, [" ", "\n", "", "  "]));
  const controllers = ["blkio", "memory", "pids", "cpuacct", "cpu", "hugetlb"] as const;
  for (let round = 0; round < 500; round++) {
    const v1 = new Map(statFilesV1(["2MB"]).map((name) => [name, text()]));
    const v2 = new Map(statFilesV2(["2MB"]).map((name) => [name, text()]));
    v2.set("cgroup.controllers", "cpu io memory pids hugetlb");
    for (const number of numbersIn([statsV1(v1, controllers, ["2MB"]), statsV2(v2, ["2MB"])])) {
      expect(number >= 0n && number <= U64_MAX).toBe(true);
    }
  }
});
