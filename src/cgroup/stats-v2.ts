// What a container has used, from the files of a v2 cgroup (rpc.md section 8).
import {
  type BlockIoEntry,
  type BlockIoStats,
  type Counter,
  type CpuUsage,
  type HugetlbStats,
  type MemoryStats,
  NO_LIMIT,
  type StatFiles,
  type Stats,
  limitIn,
  numberIn,
  pairsIn,
  pidsStats,
  scaled,
} from "./stats.ts";

export function statFilesV2(pageSizes: readonly string[]): string[] {
  return [
    "cgroup.controllers",
    "cpu.stat",
    "memory.current",
    "memory.peak",
    "memory.events",
    "memory.max",
    "memory.swap.current",
    "memory.swap.peak",
    "memory.swap.events",
    "memory.swap.max",
    "memory.stat",
    "pids.current",
    "pids.max",
    "io.stat",
    ...pageSizes.flatMap((size) => [`hugetlb.${size}.current`, `hugetlb.${size}.events`]),
  ];
}

export function statsV2(files: StatFiles, pageSizes: readonly string[]): Stats {
  const controllers = (files.get("cgroup.controllers") ?? "").split(/\s+/);
  const has = (name: string) => controllers.includes(name);
  return {
    // Every cgroup has its times, with the controller or without it.
    cpu: files.has("cpu.stat") ? cpuUsage(files) : undefined,
    throttling: has("cpu") ? throttling(files) : undefined,
    memory: has("memory") ? memoryStats(files) : undefined,
    pids: has("pids") ? pidsStats(files) : undefined,
    blockIO: has("io") ? blockIoStats(files.get("io.stat")) : undefined,
    hugetlb: Object.fromEntries(
      has("hugetlb") ? pageSizes.map((size) => [size, hugetlbStats(files, size)]) : [],
    ),
  };
}

/** In a microsecond. */
const NANOSECONDS = 1000n;

function cpuUsage(files: StatFiles): CpuUsage {
  const stat = pairsIn(files.get("cpu.stat"));
  return {
    total: scaled(stat["usage_usec"], NANOSECONDS),
    perCpu: [],
    user: scaled(stat["user_usec"], NANOSECONDS),
    system: scaled(stat["system_usec"], NANOSECONDS),
  };
}

function throttling(files: StatFiles) {
  const stat = pairsIn(files.get("cpu.stat"));
  return {
    periods: stat["nr_periods"] ?? 0n,
    throttledPeriods: stat["nr_throttled"] ?? 0n,
    throttledTime: scaled(stat["throttled_usec"], NANOSECONDS),
  };
}

/** Kernel memory is not counted apart. `use_hierarchy` is a switch of v1. */
function memoryStats(files: StatFiles): MemoryStats {
  const stat = pairsIn(files.get("memory.stat"));
  return {
    cache: stat["file"] ?? 0n,
    useHierarchy: false,
    memory: counter(files, "memory", pairsIn(files.get("memory.events"))["max"]),
    swap: counter(files, "memory.swap", pairsIn(files.get("memory.swap.events"))["fail"]),
    kernel: { usage: 0n, maxUsage: 0n, failcnt: 0n, limit: NO_LIMIT },
    stat,
  };
}

function counter(files: StatFiles, prefix: string, failcnt = 0n): Counter {
  return {
    usage: numberIn(files.get(`${prefix}.current`)),
    maxUsage: numberIn(files.get(`${prefix}.peak`)),
    failcnt,
    limit: limitIn(files.get(`${prefix}.max`)),
  };
}

/** The peak is not kept. */
function hugetlbStats(files: StatFiles, size: string): HugetlbStats {
  return {
    usage: numberIn(files.get(`hugetlb.${size}.current`)),
    maxUsage: 0n,
    failcnt: pairsIn(files.get(`hugetlb.${size}.events`))["max"] ?? 0n,
  };
}

/** Operations as Kata's hosts know them, and the keys of io.stat. */
const OPERATIONS = [
  ["read", "rbytes"],
  ["write", "wbytes"],
  ["rios", "rios"],
  ["wios", "wios"],
  ["dbytes", "dbytes"],
  ["dios", "dios"],
] as const;

function blockIoStats(text = ""): BlockIoStats {
  const none = { queued: [], serviceTime: [], waitTime: [], merged: [], time: [], sectors: [] };
  return { ...none, serviced: [], serviceBytes: text.split("\n").flatMap(device) };
}

/** A line `major:minor key=number …`. Controllers add keys of their own, and some leave some out. */
function device(line: string): BlockIoEntry[] {
  const [, major, minor, rest = ""] = /^(\d{1,10}):(\d{1,10}) (.+)$/.exec(line) ?? [];
  if (major === undefined || minor === undefined) return [];
  const values = pairsIn(rest.replaceAll(" ", "\n").replaceAll("=", " "));
  return OPERATIONS.map(([op, key]) => ({
    major: BigInt(major),
    minor: BigInt(minor),
    op,
    value: values[key] ?? 0n,
  }));
}
