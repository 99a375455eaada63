// linux.resources as writes to the files of v1 controllers, in the order in which the kernel takes
// them (Documentation/admin-guide/cgroup-v1; container.md section 2.5).
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { BlockIo, Cpu, Network, Resources, ThrottleDevice } from "../oci/resources.ts";
import {
  type CgroupFiles,
  type LimitWrite,
  WHOLE_PAGES,
  given,
  isUnlimited,
} from "./limit-write.ts";
import { hugepageWrites, pidsWrites, placeWrites, rdmaWrites } from "./resources-alike.ts";

/** Throws InvalidSpec. */
export function resourceWritesV1(resources: Resources, files: CgroupFiles): readonly LimitWrite[] {
  if (Object.keys(resources.unified ?? {}).length > 0)
    throw new InvalidSpec("linux.resources.unified: the guest has cgroup v1");
  const { cpu = {}, blockIO = {}, network = {} } = resources;
  return [
    ...cpuWrites(cpu, files),
    ...memoryWrites(resources, files),
    ...pidsWrites(resources, files),
    ...blkioWrites(blockIO, files),
    ...hugepageWrites(resources, files, "limit_in_bytes", "-1"),
    ...networkWrites(network),
    ...rdmaWrites(resources),
  ];
}

function cpuWrites(cpu: Cpu, files: CgroupFiles): LimitWrite[] {
  const writes = placeWrites(cpu);
  const shares = given(cpu.shares);
  // An idle cgroup has no shares: the kernel refuses them.
  if (shares !== undefined && cpu.idle !== 1)
    writes.push({ field: "cpu.shares", file: "cpu.shares", value: String(shares) });
  return [...writes, ...bandwidthWrites(cpu, files), ...realtimeWrites(cpu, files)];
}

/** The kernel checks quota / period against the parent's after each of the writes. */
function bandwidthWrites(cpu: Cpu, { read }: CgroupFiles): LimitWrite[] {
  if (!given(cpu.period) && !given(cpu.quota) && cpu.burst === undefined) return [];
  const quotaNow = Number(read("cpu.cfs_quota_us") ?? -1);
  const periodNow = Number(read("cpu.cfs_period_us") ?? 0);
  const period = write("cpu.period", "cpu.cfs_period_us", given(cpu.period));
  const quota = write("cpu.quota", "cpu.cfs_quota_us", given(cpu.quota));
  const burst = write("cpu.burst", "cpu.cfs_burst_us", cpu.burst);
  // A longer period first and a shorter one last: the share in between is the smaller one.
  const periodFirst = quotaNow < 0 || (cpu.period ?? 0) >= periodNow;
  const bandwidth = periodFirst ? [...period, ...quota] : [...quota, ...period];
  // A burst is at most the quota, at every moment.
  const fitsNow = quotaNow < 0 || (cpu.burst ?? 0) <= quotaNow;
  return fitsNow ? [...burst, ...bandwidth] : [...bandwidth, ...burst];
}

/** The runtime is at most the period, at every moment. */
function realtimeWrites(cpu: Cpu, { read }: CgroupFiles): LimitWrite[] {
  if (!given(cpu.realtimeRuntime) && !given(cpu.realtimePeriod)) return [];
  const runtimeNow = Number(read("cpu.rt_runtime_us") ?? 0);
  const runtime = write("cpu.realtimeRuntime", "cpu.rt_runtime_us", given(cpu.realtimeRuntime));
  const period = write("cpu.realtimePeriod", "cpu.rt_period_us", given(cpu.realtimePeriod));
  const lowers = (cpu.realtimeRuntime ?? 0) < runtimeNow;
  return lowers ? [...runtime, ...period] : [...period, ...runtime];
}

function write(field: string, file: string, value: number | undefined): LimitWrite[] {
  return value === undefined ? [] : [{ field, file, value: String(value) }];
}

const LIMIT = "memory.limit_in_bytes";
const WITH_SWAP = "memory.memsw.limit_in_bytes";

function memoryWrites({ memory = {} }: Resources, { read }: CgroupFiles): LimitWrite[] {
  const { swappiness, disableOOMKiller } = memory;
  const limit = given(memory.limit);
  // No limit for memory is none for both, or the kernel would refuse it.
  const both = given(memory.swap) ?? (limit === -1 ? -1 : undefined);
  if (both !== undefined && limit !== undefined && !isUnlimited(both) && both < limit)
    throw new InvalidSpec("memory+swap limit should be >= memory limit");
  const first = size("memory.limit", LIMIT, limit);
  // Without accounting of swap there is no file; no swap and no limit ask for nothing then.
  const asksNothing = both !== undefined && (both === limit || isUnlimited(both));
  const second =
    both === undefined || (asksNothing && read(WITH_SWAP) === undefined)
      ? []
      : size("memory.swap", WITH_SWAP, both);
  // The limit of both is at least that of memory alone, at every moment.
  const bothFirst =
    both !== undefined && (isUnlimited(both) || both >= Number(read(LIMIT) ?? Infinity));
  return [
    ...(bothFirst ? [...second, ...first] : [...first, ...second]),
    ...write("memory.reservation", "memory.soft_limit_in_bytes", given(memory.reservation)),
    ...kernelMemory("memory.kernel", "memory.kmem.limit_in_bytes", memory.kernel),
    ...kernelMemory("memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes", memory.kernelTCP),
    ...write("memory.swappiness", "memory.swappiness", swappiness),
    ...write("memory.disableOOMKiller", "memory.oom_control", disableOOMKiller ? 1 : undefined),
  ];
}

function size(field: string, file: string, limit: number | undefined): LimitWrite[] {
  if (limit === undefined) return [];
  const value = isUnlimited(limit) ? "-1" : String(limit);
  return [{ field, file, value, readBack: WHOLE_PAGES }];
}

/** Linux 5.16 took the limit of kernel memory away and kept the file. */
function kernelMemory(field: string, file: string, limit: number | undefined): LimitWrite[] {
  return write(field, file, given(limit)).map((each) => ({ ...each, tolerated: ["EOPNOTSUPP"] }));
}

function blkioWrites(io: BlockIo, { read }: CgroupFiles): LimitWrite[] {
  // CFQ had the plain names until Linux 5.0; BFQ has its own.
  const named = (name: string) =>
    read(`blkio.bfq.${name}`) === undefined ? `blkio.${name}` : `blkio.bfq.${name}`;
  const perDevice = (io.weightDevice ?? []).flatMap((device, index) => {
    const field = `blockIO.weightDevice[${index}]`;
    const lines = [
      [named("weight_device"), given(device.weight)],
      ["blkio.leaf_weight_device", given(device.leafWeight)],
    ] as const;
    return lines.flatMap(([file, weight]) =>
      weight === undefined
        ? []
        : [{ field, file, value: `${device.major}:${device.minor} ${weight}` }],
    );
  });
  return [
    ...(given(io.weight) ? write("blockIO.weight", named("weight"), io.weight) : []),
    ...write("blockIO.leafWeight", "blkio.leaf_weight", given(io.leafWeight)),
    ...perDevice,
    ...throttle("throttleReadBpsDevice", "read_bps_device", io.throttleReadBpsDevice),
    ...throttle("throttleWriteBpsDevice", "write_bps_device", io.throttleWriteBpsDevice),
    ...throttle("throttleReadIOPSDevice", "read_iops_device", io.throttleReadIOPSDevice),
    ...throttle("throttleWriteIOPSDevice", "write_iops_device", io.throttleWriteIOPSDevice),
  ];
}

function throttle(
  name: string,
  file: string,
  devices: readonly ThrottleDevice[] = [],
): LimitWrite[] {
  return devices.map(({ major, minor, rate }, index) => ({
    field: `blockIO.${name}[${index}]`,
    file: `blkio.throttle.${file}`,
    value: `${major}:${minor} ${isUnlimited(rate) ? 0 : rate}`,
  }));
}

function networkWrites({ classID, priorities = [] }: Network): LimitWrite[] {
  const classid = write("network.classID", "net_cls.classid", classID);
  return [
    ...classid.map((each) => ({ ...each, readBack: { kind: "number" } as const })),
    ...priorities.map(({ name, priority }, index) => ({
      field: `network.priorities[${index}]`,
      file: "net_prio.ifpriomap",
      value: `${name} ${priority}`,
    })),
  ];
}
