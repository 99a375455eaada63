// What a container has used, from the files of v1 controllers (rpc.md section 8).
import {
  type BlockIoEntry,
  type BlockIoStats,
  type Counter,
  type CpuUsage,
  type HugetlbStats,
  type MemoryStats,
  type StatFiles,
  type Stats,
  numberIn,
  pairsIn,
  pidsStats,
  scaled,
} from "./stats.ts";

const COUNTER_FILES = ["usage_in_bytes", "max_usage_in_bytes", "failcnt", "limit_in_bytes"];

/** CFQ's, until Linux 5.0. */
const CFQ = {
  serviceBytes: "blkio.io_service_bytes_recursive",
  serviced: "blkio.io_serviced_recursive",
  queued: "blkio.io_queued_recursive",
  serviceTime: "blkio.io_service_time_recursive",
  waitTime: "blkio.io_wait_time_recursive",
  merged: "blkio.io_merged_recursive",
  time: "blkio.time_recursive",
  sectors: "blkio.sectors_recursive",
} as const;

const THROTTLED_BYTES = "blkio.throttle.io_service_bytes";
const THROTTLED = "blkio.throttle.io_serviced";

/** The files to read. Each is in the hierarchy of the controller that its name begins with. */
export function statFilesV1(pageSizes: readonly string[]): string[] {
  return [
    "cpuacct.usage",
    "cpuacct.usage_percpu",
    "cpuacct.stat",
    "cpu.stat",
    ...["memory", "memory.memsw", "memory.kmem"].flatMap((prefix) =>
      COUNTER_FILES.map((name) => `${prefix}.${name}`),
    ),
    "memory.stat",
    "memory.use_hierarchy",
    "pids.current",
    "pids.max",
    ...Object.values(CFQ),
    THROTTLED_BYTES,
    THROTTLED,
    ...pageSizes.flatMap((size) =>
      COUNTER_FILES.slice(0, 3).map((name) => `hugetlb.${size}.${name}`),
    ),
  ];
}

export function statsV1(
  files: StatFiles,
  controllers: readonly string[],
  pageSizes: readonly string[],
): Stats {
  const has = (name: string) => controllers.includes(name);
  return {
    cpu: has("cpuacct") ? cpuUsage(files) : undefined,
    throttling: has("cpu") ? throttling(files) : undefined,
    memory: has("memory") ? memoryStats(files) : undefined,
    pids: has("pids") ? pidsStats(files) : undefined,
    blockIO: has("blkio") ? blockIoStats(files) : undefined,
    hugetlb: Object.fromEntries(
      has("hugetlb") ? pageSizes.map((size) => [size, hugetlbStats(files, size)]) : [],
    ),
  };
}

/** Linux counts in USER_HZ, 100 a second, in all that programs see (proc(5), cpuacct.stat). */
const NANOSECONDS_PER_TICK = 10_000_000n;

function cpuUsage(files: StatFiles): CpuUsage {
  const { user, system } = pairsIn(files.get("cpuacct.stat"));
  const perCpu = files.get("cpuacct.usage_percpu")?.split(/\s+/) ?? [];
  return {
    total: numberIn(files.get("cpuacct.usage")),
    perCpu: perCpu.filter((word) => word !== "").map(numberIn),
    user: scaled(user, NANOSECONDS_PER_TICK),
    system: scaled(system, NANOSECONDS_PER_TICK),
  };
}

function throttling(files: StatFiles) {
  const stat = pairsIn(files.get("cpu.stat"));
  return {
    periods: stat["nr_periods"] ?? 0n,
    throttledPeriods: stat["nr_throttled"] ?? 0n,
    throttledTime: stat["throttled_time"] ?? 0n,
  };
}

function memoryStats(files: StatFiles): MemoryStats {
  const stat = pairsIn(files.get("memory.stat"));
  return {
    cache: stat["cache"] ?? 0n,
    useHierarchy: numberIn(files.get("memory.use_hierarchy")) === 1n,
    memory: counter(files, "memory"),
    swap: counter(files, "memory.memsw"),
    kernel: counter(files, "memory.kmem"),
    stat,
  };
}

function counter(files: StatFiles, prefix: string): Counter {
  const read = (name: string) => numberIn(files.get(`${prefix}.${name}`));
  return {
    usage: read("usage_in_bytes"),
    maxUsage: read("max_usage_in_bytes"),
    failcnt: read("failcnt"),
    limit: read("limit_in_bytes"),
  };
}

function hugetlbStats(files: StatFiles, size: string): HugetlbStats {
  const { usage, maxUsage, failcnt } = counter(files, `hugetlb.${size}`);
  return { usage, maxUsage, failcnt };
}

/** The counters of the throttling are there whatever schedules the device. */
function blockIoStats(files: StatFiles): BlockIoStats {
  const none = { queued: [], serviceTime: [], waitTime: [], merged: [], time: [], sectors: [] };
  const serviced = byOperation(files.get(CFQ.serviced));
  if (serviced.length === 0) {
    return {
      ...none,
      serviceBytes: byOperation(files.get(THROTTLED_BYTES)),
      serviced: byOperation(files.get(THROTTLED)),
    };
  }
  return {
    serviceBytes: byOperation(files.get(CFQ.serviceBytes)),
    serviced,
    queued: byOperation(files.get(CFQ.queued)),
    serviceTime: byOperation(files.get(CFQ.serviceTime)),
    waitTime: byOperation(files.get(CFQ.waitTime)),
    merged: byOperation(files.get(CFQ.merged)),
    time: byDevice(files.get(CFQ.time)),
    sectors: byDevice(files.get(CFQ.sectors)),
  };
}

const OPERATIONS = ["read", "write", "sync", "async", "total"] as const;

/** Lines `major:minor operation number`, and one with the total of all devices. */
function byOperation(text = ""): BlockIoEntry[] {
  const devices = new Map<string, Map<string, bigint>>();
  for (const line of text.split("\n")) {
    const [, device, op, digits] = /^(\d{1,10}:\d{1,10}) (\w+) (\d{1,20})$/.exec(line) ?? [];
    if (device === undefined || op === undefined) continue;
    const values = devices.get(device) ?? new Map<string, bigint>();
    devices.set(device, values.set(op.toLowerCase(), numberIn(digits)));
  }
  return [...devices].flatMap(([device, values]) =>
    OPERATIONS.flatMap((op) => entry(device, op, values.get(op) ?? 0n)),
  );
}

/** Lines `major:minor number`. */
function byDevice(text = ""): BlockIoEntry[] {
  return text.split("\n").flatMap((line) => {
    const [, device, digits] = /^(\d{1,10}:\d{1,10}) (\d{1,20})$/.exec(line) ?? [];
    return device === undefined ? [] : entry(device, "", numberIn(digits));
  });
}

/** Devices without a major number are no devices: hosts have never been told of them. */
function entry(device: string, op: string, value: bigint): BlockIoEntry[] {
  const [major = 0n, minor = 0n] = device.split(":").map(BigInt);
  return major === 0n ? [] : [{ major, minor, op, value }];
}
