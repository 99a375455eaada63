// What a container has used, on either version of cgroups. What the kernel does not tell is 0, and
// what has no controller is absent (rpc.md section 8).

export type Stats = {
  readonly cpu?: CpuUsage | undefined;
  readonly throttling?: Throttling | undefined;
  readonly memory?: MemoryStats | undefined;
  readonly pids?: { readonly current: bigint; readonly limit: bigint } | undefined;
  readonly blockIO?: BlockIoStats | undefined;
  /** By the size of a page: `2MB`. Bytes. */
  readonly hugetlb: Readonly<Record<string, HugetlbStats>>;
};

/** Nanoseconds. */
export type CpuUsage = {
  readonly total: bigint;
  readonly perCpu: readonly bigint[];
  readonly user: bigint;
  readonly system: bigint;
};

/** Time in nanoseconds. */
export type Throttling = {
  readonly periods: bigint;
  readonly throttledPeriods: bigint;
  readonly throttledTime: bigint;
};

export type MemoryStats = {
  readonly cache: bigint;
  readonly useHierarchy: boolean;
  readonly memory: Counter;
  /** v1: memory and swap together; v2: swap alone. */
  readonly swap: Counter;
  readonly kernel: Counter;
  /** memory.stat */
  readonly stat: Readonly<Record<string, bigint>>;
};

/** Bytes, but for the number of failures. */
export type Counter = {
  readonly usage: bigint;
  readonly maxUsage: bigint;
  readonly failcnt: bigint;
  readonly limit: bigint;
};

export type BlockIoStats = {
  readonly serviceBytes: readonly BlockIoEntry[];
  readonly serviced: readonly BlockIoEntry[];
  readonly queued: readonly BlockIoEntry[];
  readonly serviceTime: readonly BlockIoEntry[];
  readonly waitTime: readonly BlockIoEntry[];
  readonly merged: readonly BlockIoEntry[];
  readonly time: readonly BlockIoEntry[];
  readonly sectors: readonly BlockIoEntry[];
};

export type BlockIoEntry = {
  readonly major: bigint;
  readonly minor: bigint;
  readonly op: string;
  readonly value: bigint;
};

export type HugetlbStats = {
  readonly usage: bigint;
  readonly maxUsage: bigint;
  readonly failcnt: bigint;
};

/** Files by their names, as far as they could be read. */
export type StatFiles = ReadonlyMap<string, string>;

export const NO_LIMIT = 2n ** 64n - 1n;

/** The number that a text is; 0 for anything else. Never more than a counter of 64 bits. */
export function numberIn(text: string | undefined): bigint {
  const [, digits] = /^\s*(\d{1,20})\s*$/.exec(text ?? "") ?? [];
  return atMost64Bits(BigInt(digits ?? 0));
}

/** A time in another unit. */
export function scaled(time: bigint | undefined, factor: bigint): bigint {
  return atMost64Bits((time ?? 0n) * factor);
}

/** More cannot be sent. */
function atMost64Bits(number: bigint): bigint {
  return number > NO_LIMIT ? NO_LIMIT : number;
}

/** The same, where `max` is no limit. */
export function limitIn(text: string | undefined): bigint {
  return text?.trim() === "max" ? NO_LIMIT : numberIn(text);
}

/** The lines `key number` of a text; others are left out. */
export function pairsIn(text: string | undefined): Record<string, bigint> {
  const pairs: Record<string, bigint> = {};
  for (const line of (text ?? "").split("\n")) {
    const [, key, digits] = /^(\S+) +(\d{1,20})$/.exec(line) ?? [];
    if (key !== undefined && key !== "__proto__") pairs[key] = numberIn(digits);
  }
  return pairs;
}

/** Kata's hosts take a limit of 0 for none. */
export function pidsStats(files: StatFiles): { current: bigint; limit: bigint } {
  return { current: numberIn(files.get("pids.current")), limit: numberIn(files.get("pids.max")) };
}
