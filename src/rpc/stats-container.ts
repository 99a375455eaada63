import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BlockIoStats, MemoryStats, Stats } from "../cgroup/stats.ts";
import type { BlkioStatsSchema, CgroupStatsSchema, MemoryStatsSchema } from "../gen/agent_pb.ts";
import type { Handler } from "./handler.ts";

/** What a container has used. Hosts ask for it by the clock. */
export const statsContainer: Handler<"statsContainer"> = async ({ containerId }, { sandbox }) => ({
  cgroupStats: toMessage(await sandbox.container(containerId).stats()),
});

function toMessage(stats: Stats): MessageInitShape<typeof CgroupStatsSchema> {
  const { cpu, throttling, memory, pids, blockIO, hugetlb } = stats;
  return {
    cpuStats: {
      cpuUsage: cpu && {
        totalUsage: cpu.total,
        percpuUsage: [...cpu.perCpu],
        usageInUsermode: cpu.user,
        usageInKernelmode: cpu.system,
      },
      throttlingData: throttling,
    },
    memoryStats: memory && memoryMessage(memory),
    pidsStats: pids,
    blkioStats: blockIO && blkioMessage(blockIO),
    hugetlbStats: { ...hugetlb },
  };
}

function memoryMessage(memory: MemoryStats): MessageInitShape<typeof MemoryStatsSchema> {
  return {
    cache: memory.cache,
    usage: memory.memory,
    swapUsage: memory.swap,
    kernelUsage: memory.kernel,
    useHierarchy: memory.useHierarchy,
    stats: { ...memory.stat },
  };
}

function blkioMessage(io: BlockIoStats): MessageInitShape<typeof BlkioStatsSchema> {
  return {
    ioServiceBytesRecursive: [...io.serviceBytes],
    ioServicedRecursive: [...io.serviced],
    ioQueuedRecursive: [...io.queued],
    ioServiceTimeRecursive: [...io.serviceTime],
    ioWaitTimeRecursive: [...io.waitTime],
    ioMergedRecursive: [...io.merged],
    ioTimeRecursive: [...io.time],
    sectorsRecursive: [...io.sectors],
  };
}
