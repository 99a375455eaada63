// linux.resources as writes to the files of a v2 cgroup, in the order in which the kernel takes them
// (Documentation/admin-guide/cgroup-v2.rst; conversions: container.md section 2.5). Not on v2, and
// ignored as by other runtimes: realtime CPU, kernel memory, swappiness, the OOM killer's switch, leaf
// weights, network classes and priorities.
import type { BlockIo, Resources, ThrottleDevice } from "../oci/resources.ts";
import { internal } from "../error.ts";
import { ioMaxLine, ioWeightOf, orMax, swapAlone, weightOfShares } from "./conversion.ts";
import { type CgroupFiles, type LimitWrite, WHOLE_PAGES, given } from "./limit-write.ts";
import { hugepageWrites, pidsWrites, placeWrites, rdmaWrites } from "./resources-alike.ts";

/** Throws InvalidSpec, or an AgentError for a limit below what is in use when that is to be checked. */
export function resourceWritesV2(resources: Resources, files: CgroupFiles): readonly LimitWrite[] {
  return [
    ...cpuWrites(resources, files),
    ...memoryWrites(resources, files),
    ...pidsWrites(resources, files),
    ...ioWrites(resources.blockIO ?? {}, files),
    ...hugepageWrites(resources, files, "max", "max"),
    ...rdmaWrites(resources),
    // Last: whoever names a file means it to win.
    ...unifiedWrites(resources),
  ];
}

function cpuWrites({ cpu = {} }: Resources, files: CgroupFiles): LimitWrite[] {
  const writes = placeWrites(cpu);
  const shares = given(cpu.shares);
  // An idle cgroup has no weight: the kernel refuses one.
  if (shares !== undefined && cpu.idle !== 1) {
    const value = String(weightOfShares(shares));
    writes.push({ field: "cpu.shares", file: "cpu.weight", value });
  }
  return [...writes, ...bandwidthWrites(cpu, files)];
}

const DEFAULT_PERIOD = "100000";

function bandwidthWrites(cpu: NonNullable<Resources["cpu"]>, { read }: CgroupFiles): LimitWrite[] {
  if (!given(cpu.quota) && !given(cpu.period) && cpu.burst === undefined) return [];
  const [quotaNow = "max", periodNow = DEFAULT_PERIOD] = read("cpu.max")?.trim().split(" ") ?? [];
  const quota = given(cpu.quota);
  const period = given(cpu.period);
  const wanted = quota === undefined ? quotaNow : orMax(quota);
  const isAsked = quota !== undefined || period !== undefined;
  const isNothing = read("cpu.max") === undefined && wanted === "max";
  const max: LimitWrite[] =
    isAsked && !isNothing
      ? [
          {
            field: quota === undefined ? "cpu.period" : "cpu.quota",
            file: "cpu.max",
            value: `${wanted} ${period ?? periodNow}`,
          },
        ]
      : [];
  if (cpu.burst === undefined) return max;
  const burst = { field: "cpu.burst", file: "cpu.max.burst", value: String(cpu.burst) };
  // A burst is at most the quota, at every moment.
  const fitsNow = quotaNow === "max" || cpu.burst <= Number(quotaNow);
  return fitsNow ? [burst, ...max] : [...max, burst];
}

function memoryWrites({ memory = {} }: Resources, { read }: CgroupFiles): LimitWrite[] {
  const limit = given(memory.limit);
  const swap = swapAlone(limit, given(memory.swap));
  const reservation = given(memory.reservation);
  const writes: LimitWrite[] = [];
  if (limit !== undefined && memory.checkBeforeUpdate === true)
    refuseBelow(limit, read("memory.current"));
  const hasSwap = swap !== undefined && read("memory.swap.max") !== undefined;
  // Without accounting of swap there is no file; "none" and "no limit" ask for nothing then.
  if (swap !== undefined && (hasSwap || swap > 0)) {
    const value = orMax(swap);
    const file = "memory.swap.max";
    writes.push({ field: "memory.swap", file, value, readBack: WHOLE_PAGES });
  }
  if (limit !== undefined && (read("memory.max") !== undefined || orMax(limit) !== "max")) {
    const value = orMax(limit);
    writes.push({ field: "memory.limit", file: "memory.max", value, readBack: WHOLE_PAGES });
  }
  if (reservation !== undefined)
    writes.push({ field: "memory.reservation", file: "memory.low", value: orMax(reservation) });
  return writes;
}

/** The kernel would make room by killing. */
function refuseBelow(limit: number, usage: string | undefined): void {
  if (limit > 0 && Number(usage) > limit)
    throw internal(`linux.resources.memory.limit: ${limit} is below the usage, ${usage?.trim()}`);
}

function ioWrites(io: BlockIo, { read }: CgroupFiles): LimitWrite[] {
  const isBfq = read("io.bfq.weight") !== undefined;
  const file = isBfq ? "io.bfq.weight" : "io.weight";
  const converted = (weight: number) => String(isBfq ? weight : ioWeightOf(weight));
  const weight = given(io.weight);
  const writes: LimitWrite[] =
    weight === undefined ? [] : [{ field: "blockIO.weight", file, value: converted(weight) }];
  for (const [index, device] of (io.weightDevice ?? []).entries()) {
    const own = given(device.weight);
    if (own === undefined) continue;
    const value = `${device.major}:${device.minor} ${converted(own)}`;
    writes.push({ field: `blockIO.weightDevice[${index}]`, file, value });
  }
  return [
    ...writes,
    ...ioMax("throttleReadBpsDevice", "rbps", io.throttleReadBpsDevice),
    ...ioMax("throttleWriteBpsDevice", "wbps", io.throttleWriteBpsDevice),
    ...ioMax("throttleReadIOPSDevice", "riops", io.throttleReadIOPSDevice),
    ...ioMax("throttleWriteIOPSDevice", "wiops", io.throttleWriteIOPSDevice),
  ];
}

function ioMax(name: string, key: string, devices: readonly ThrottleDevice[] = []): LimitWrite[] {
  return devices.map((device, index) => ({
    field: `blockIO.${name}[${index}]`,
    file: "io.max",
    value: ioMaxLine(key, device),
  }));
}

/** The kernel takes one line at a time. */
function unifiedWrites({ unified = {} }: Resources): LimitWrite[] {
  return Object.entries(unified).flatMap(([file, text]) =>
    text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((value) => ({ field: `unified[${JSON.stringify(file)}]`, file, value })),
  );
}
