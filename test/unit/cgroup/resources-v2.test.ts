import { describe, expect, test } from "bun:test";
import { resourceWritesV2 } from "../../../src/cgroup/resources-v2.ts";
import type { Resources } from "../../../src/oci/resources.ts";

/** A kernel with everything, and nothing limited. */
const ALL = {
  "cpu.max": "max 100000\n",
  "memory.current": "8192\n",
  "memory.max": "max\n",
  "memory.swap.max": "max\n",
  "pids.max": "max\n",
  "hugetlb.2MB.max": "max\n",
  "hugetlb.2MB.rsvd.max": "max\n",
};

/** `file value`, in order. */
function written(resources: Resources, files: Readonly<Record<string, string>> = ALL): string[] {
  const read = (file: string) => files[file];
  const writes = resourceWritesV2(resources, { read, pageSizes: ["2MB", "1GB"] });
  return writes.map(({ file, value }) => `${file} ${value}`);
}

const NO_FILES = {};
const MOST = Number.MAX_SAFE_INTEGER;

describe("the files of a v2 cgroup", () => {
  test.each<[string, Resources, string[]]>([
    ["nothing", {}, []],
    ["zeros, which are not set", { cpu: { shares: 0, quota: 0 }, memory: { limit: 0 } }, []],
    ["shares", { cpu: { shares: 1024 } }, ["cpu.weight 100"]],
    ["the idle class, which has no weight", { cpu: { shares: 2, idle: 1 } }, ["cpu.idle 1"]],
    [
      "a weight after the idle class",
      { cpu: { shares: 2, idle: 0 } },
      ["cpu.idle 0", "cpu.weight 1"],
    ],
    ["cpus and mems", { cpu: { cpus: "0-1", mems: "0" } }, ["cpuset.cpus 0-1", "cpuset.mems 0"]],
    ["quota and period in one", { cpu: { quota: 5, period: 7 } }, ["cpu.max 5 7"]],
    ["a quota, with the period as it is", { cpu: { quota: 5000 } }, ["cpu.max 5000 100000"]],
    ["no quota", { cpu: { quota: -1 } }, ["cpu.max max 100000"]],
    ["a period, with the quota as it is", { cpu: { period: 9000 } }, ["cpu.max max 9000"]],
    [
      "a burst before a quota, from none",
      { cpu: { burst: 10, quota: 20 } },
      ["cpu.max.burst 10", "cpu.max 20 100000"],
    ],
    ["realtime, which v2 does not have", { cpu: { realtimeRuntime: 1, realtimePeriod: 2 } }, []],
    ["memory", { memory: { limit: 4096 } }, ["memory.max 4096"]],
    [
      "swap before memory, and less by it (D29)",
      { memory: { limit: 100, swap: 250 } },
      ["memory.swap.max 150", "memory.max 100"],
    ],
    ["no swap", { memory: { limit: 100, swap: 100 } }, ["memory.swap.max 0", "memory.max 100"]],
    ["no limit", { memory: { limit: -1 } }, ["memory.swap.max max", "memory.max max"]],
    [
      "the largest numbers",
      { memory: { limit: MOST, swap: MOST, reservation: MOST } },
      ["memory.swap.max max", "memory.max max", "memory.low max"],
    ],
    ["a reservation", { memory: { reservation: 77 } }, ["memory.low 77"]],
    [
      "what only v1 has, swappiness above all (D27)",
      { memory: { swappiness: 60, disableOOMKiller: true, kernel: 1, kernelTCP: 1 } },
      [],
    ],
    ["processes", { pids: { limit: 10 } }, ["pids.max 10"]],
    ["any number of processes", { pids: { limit: -1 } }, ["pids.max max"]],
    [
      "huge pages and what is reserved of them",
      { hugepageLimits: [{ pageSize: "2MB", limit: 0 }] },
      ["hugetlb.2MB.max 0", "hugetlb.2MB.rsvd.max 0"],
    ],
    ["huge pages that nobody has", { hugepageLimits: [{ pageSize: "64KB", limit: 9 }] }, []],
    [
      "rdma",
      { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 0 }, mlx5_2: {}, mlx5_3: { hcaObjects: 1 } } },
      ["rdma.max mlx5_1 hca_handle=3 hca_object=0", "rdma.max mlx5_3 hca_object=1"],
    ],
    [
      "files by name, last, a line at a time",
      { unified: { "io.max": "8:0 rbps=1\n\n8:16 rbps=2\n", "pids.max": "5" }, pids: { limit: 4 } },
      ["pids.max 4", "io.max 8:0 rbps=1", "io.max 8:16 rbps=2", "pids.max 5"],
    ],
    ["network, which v2 does not have", { network: { classID: 1 } }, []],
  ])("%s", (_, resources, expected) => {
    expect(written(resources)).toEqual(expected);
  });

  test("block I/O has a line and a weight for each device, as the scheduler that is there has it (D28)", () => {
    const device = (rate: number) => [{ major: 8, minor: 0, rate }];
    const blockIO = {
      weight: 500,
      leafWeight: 300,
      weightDevice: [
        { major: 8, minor: 16, weight: 10, leafWeight: 20 },
        { major: 8, minor: 32 },
      ],
      throttleReadBpsDevice: device(1),
      throttleWriteBpsDevice: device(0),
      throttleReadIOPSDevice: device(3),
      throttleWriteIOPSDevice: device(4),
    };
    const throttled = [
      "io.max 8:0 rbps=1",
      "io.max 8:0 wbps=max",
      "io.max 8:0 riops=3",
      "io.max 8:0 wiops=4",
    ];
    expect(written({ blockIO })).toEqual(["io.weight 4950", "io.weight 8:16 1", ...throttled]);
    expect(written({ blockIO }, { ...ALL, "io.bfq.weight": "default 100\n" })).toEqual([
      "io.bfq.weight 500",
      "io.bfq.weight 8:16 10",
      ...throttled,
    ]);
  });

  test("a burst comes after the quota that has room for it", () => {
    const files = { ...ALL, "cpu.max": "10 1000\n" };
    expect(written({ cpu: { burst: 50, quota: 60 } }, files)).toEqual([
      "cpu.max 60 1000",
      "cpu.max.burst 50",
    ]);
    expect(written({ cpu: { burst: 5, quota: 6 } }, files)).toEqual([
      "cpu.max.burst 5",
      "cpu.max 6 1000",
    ]);
    expect(written({ cpu: { period: 500 } }, files)).toEqual(["cpu.max 10 500"]);
  });

  test("what asks for no limit needs no file", () => {
    const resources: Resources = {
      cpu: { quota: -1 },
      memory: { limit: -1, swap: -1 },
      pids: { limit: -1 },
      hugepageLimits: [
        { pageSize: "2MB", limit: 0 },
        { pageSize: "1GB", limit: -1 },
      ],
    };
    expect(written(resources, NO_FILES)).toEqual([]);
    expect(written({ memory: { limit: 5, swap: 5 } }, NO_FILES)).toEqual(["memory.max 5"]);
  });

  test("a limit is written also where the file is missing, so that the kernel's refusal is told", () => {
    const resources: Resources = {
      cpu: { quota: 5 },
      memory: { limit: 5, swap: 6 },
      pids: { limit: 5 },
      hugepageLimits: [{ pageSize: "2MB", limit: 5 }],
    };
    expect(written(resources, NO_FILES)).toEqual([
      "cpu.max 5 100000",
      "memory.swap.max 1",
      "memory.max 5",
      "pids.max 5",
      "hugetlb.2MB.max 5",
    ]);
  });

  test("a limit below the usage is refused where that is to be checked", () => {
    const memory = { limit: 4096, checkBeforeUpdate: true };
    expect(() => written({ memory })).toThrow(
      "linux.resources.memory.limit: 4096 is below the usage, 8192",
    );
    expect(written({ memory: { ...memory, limit: 8192 } })).toEqual(["memory.max 8192"]);
  });

  test("swap without memory is refused", () => {
    expect(() => written({ memory: { swap: 5 } })).toThrow(
      "unable to set swap limit without memory limit",
    );
  });

  test("every write names its field", () => {
    const files = { read: () => undefined, pageSizes: ["2MB"] };
    const resources: Resources = {
      hugepageLimits: [{ pageSize: "2MB", limit: 5 }],
      rdma: { "a b": { hcaHandles: 1 } },
      unified: { "memory.high": "1" },
    };
    expect(resourceWritesV2(resources, files).map(({ field }) => field)).toEqual([
      "hugepageLimits[0]",
      'rdma["a b"]',
      'unified["memory.high"]',
    ]);
  });
});
