import { describe, expect, test } from "bun:test";
import { resourceWritesV1 } from "../../../src/cgroup/resources-v1.ts";
import type { Resources } from "../../../src/oci/resources.ts";

/** A new cgroup of a kernel with everything. */
const ALL = {
  "cpu.cfs_quota_us": "-1\n",
  "cpu.cfs_period_us": "100000\n",
  "cpu.rt_runtime_us": "0\n",
  "memory.limit_in_bytes": "9223372036854771712\n",
  "memory.memsw.limit_in_bytes": "9223372036854771712\n",
  "pids.max": "max\n",
  "hugetlb.2MB.limit_in_bytes": "9223372036854771712\n",
  "hugetlb.2MB.rsvd.limit_in_bytes": "9223372036854771712\n",
};

/** `file value`, in order. */
function written(resources: Resources, files: Readonly<Record<string, string>> = ALL): string[] {
  const read = (file: string) => files[file];
  const writes = resourceWritesV1(resources, { read, pageSizes: ["2MB", "1GB"] });
  return writes.map(({ file, value }) => `${file} ${value}`);
}

const LIMIT = "memory.limit_in_bytes";
const BOTH = "memory.memsw.limit_in_bytes";
const MOST = Number.MAX_SAFE_INTEGER;

describe("the files of v1 controllers", () => {
  test.each<[string, Resources, string[]]>([
    ["nothing", {}, []],
    ["zeros, which are not set", { cpu: { shares: 0, quota: 0 }, memory: { limit: 0 } }, []],
    ["shares", { cpu: { shares: 1 } }, ["cpu.shares 1"]],
    ["the idle class, which has no shares", { cpu: { shares: 2, idle: 1 } }, ["cpu.idle 1"]],
    ["cpus and mems", { cpu: { cpus: "0-1", mems: "0" } }, ["cpuset.cpus 0-1", "cpuset.mems 0"]],
    ["no quota", { cpu: { quota: -1 } }, ["cpu.cfs_quota_us -1"]],
    [
      "period and quota of a new cgroup, after a burst",
      { cpu: { quota: 5000, period: 7000, burst: 0 } },
      ["cpu.cfs_burst_us 0", "cpu.cfs_period_us 7000", "cpu.cfs_quota_us 5000"],
    ],
    [
      "the realtime period before the runtime that needs it",
      { cpu: { realtimeRuntime: 10, realtimePeriod: 20 } },
      ["cpu.rt_period_us 20", "cpu.rt_runtime_us 10"],
    ],
    ["memory", { memory: { limit: 4096 } }, [`${LIMIT} 4096`]],
    ["no limit of both first", { memory: { limit: -1 } }, [`${BOTH} -1`, `${LIMIT} -1`]],
    [
      "memory first when both are lowered",
      { memory: { limit: 100, swap: 200 } },
      [`${LIMIT} 100`, `${BOTH} 200`],
    ],
    [
      "the largest numbers, which are no limit",
      { memory: { limit: MOST, swap: MOST } },
      [`${BOTH} -1`, `${LIMIT} -1`],
    ],
    [
      "the rest of memory",
      {
        memory: {
          reservation: 5,
          kernel: 6,
          kernelTCP: -1,
          swappiness: 0,
          disableOOMKiller: true,
        },
      },
      [
        "memory.soft_limit_in_bytes 5",
        "memory.kmem.limit_in_bytes 6",
        "memory.kmem.tcp.limit_in_bytes -1",
        "memory.swappiness 0",
        "memory.oom_control 1",
      ],
    ],
    ["the OOM killer left alone", { memory: { disableOOMKiller: false } }, []],
    ["processes", { pids: { limit: 10 } }, ["pids.max 10"]],
    ["any number of processes", { pids: { limit: 0 } }, ["pids.max max"]],
    [
      "huge pages",
      {
        hugepageLimits: [
          { pageSize: "2MB", limit: -1 },
          { pageSize: "64KB", limit: 5 },
        ],
      },
      ["hugetlb.2MB.limit_in_bytes -1", "hugetlb.2MB.rsvd.limit_in_bytes -1"],
    ],
    [
      "network",
      { network: { classID: 0x100001, priorities: [{ name: "eth0", priority: 3 }] } },
      ["net_cls.classid 1048577", "net_prio.ifpriomap eth0 3"],
    ],
    ["rdma", { rdma: { a: { hcaHandles: 3 } } }, ["rdma.max a hca_handle=3"]],
  ])("%s", (_, resources, expected) => {
    expect(written(resources)).toEqual(expected);
  });

  test.each([
    ["10000", "100000", 50_000, 200_000, ["period", "quota"]],
    ["10000", "100000", 5000, 50_000, ["quota", "period"]],
    ["-1", "100000", 5000, 50_000, ["period", "quota"]],
    ["10000", "100000", -1, 50_000, ["quota", "period"]],
  ])(
    "from %s/%s to %p/%p the share is never too large",
    (quotaNow, periodNow, quota, period, order) => {
      const files = { "cpu.cfs_quota_us": quotaNow, "cpu.cfs_period_us": periodNow };
      const names = written({ cpu: { quota, period } }, files);
      expect(names.map((each) => each.replace(/cpu\.cfs_(\w+)_us .*/, "$1"))).toEqual(order);
    },
  );

  test("a burst comes after the quota that has room for it", () => {
    const files = { ...ALL, "cpu.cfs_quota_us": "1000" };
    expect(written({ cpu: { burst: 5000, quota: 6000 } }, files)).toEqual([
      "cpu.cfs_quota_us 6000",
      "cpu.cfs_burst_us 5000",
    ]);
  });

  test("a lower realtime runtime comes before the period", () => {
    const files = { ...ALL, "cpu.rt_runtime_us": "500" };
    expect(written({ cpu: { realtimeRuntime: 100, realtimePeriod: 200 } }, files)).toEqual([
      "cpu.rt_runtime_us 100",
      "cpu.rt_period_us 200",
    ]);
  });

  test("both are raised before memory alone", () => {
    const files = { ...ALL, [LIMIT]: "100", [BOTH]: "200" };
    expect(written({ memory: { limit: 300, swap: 400 } }, files)).toEqual([
      `${BOTH} 400`,
      `${LIMIT} 300`,
    ]);
    expect(written({ memory: { limit: 50, swap: 60 } }, files)).toEqual([
      `${LIMIT} 50`,
      `${BOTH} 60`,
    ]);
  });

  test("both together are at least memory alone", () => {
    expect(() => written({ memory: { limit: 300, swap: 200 } })).toThrow(
      "memory+swap limit should be >= memory limit",
    );
  });

  test("what asks for no limit needs no file", () => {
    const hugepageLimits = [{ pageSize: "2MB", limit: 0 }];
    expect(written({ memory: { limit: 5, swap: 5 } }, {})).toEqual([`${LIMIT} 5`]);
    expect(written({ pids: { limit: -1 }, hugepageLimits }, {})).toEqual([]);
    expect(written({ memory: { limit: 5, swap: 6 } }, {})).toEqual([`${LIMIT} 5`, `${BOTH} 6`]);
  });

  test("block I/O has the names of the scheduler that is there", () => {
    const device = [{ major: 8, minor: 0, rate: 7 }];
    const blockIO = {
      weight: 500,
      leafWeight: 300,
      weightDevice: [{ major: 8, minor: 16, weight: 10, leafWeight: 20 }],
      throttleReadBpsDevice: device,
      throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: -1 }],
      throttleReadIOPSDevice: device,
      throttleWriteIOPSDevice: device,
    };
    const throttled = [
      "blkio.throttle.read_bps_device 8:0 7",
      "blkio.throttle.write_bps_device 8:0 0",
      "blkio.throttle.read_iops_device 8:0 7",
      "blkio.throttle.write_iops_device 8:0 7",
    ];
    expect(written({ blockIO })).toEqual([
      "blkio.weight 500",
      "blkio.leaf_weight 300",
      "blkio.weight_device 8:16 10",
      "blkio.leaf_weight_device 8:16 20",
      ...throttled,
    ]);
    const bfq = { "blkio.bfq.weight": "100", "blkio.bfq.weight_device": "" };
    expect(written({ blockIO: { ...blockIO, leafWeight: undefined } }, bfq)).toEqual([
      "blkio.bfq.weight 500",
      "blkio.bfq.weight_device 8:16 10",
      "blkio.leaf_weight_device 8:16 20",
      ...throttled,
    ]);
  });

  test("files of v2 are refused by the name of the field", () => {
    expect(() => written({ unified: { "memory.high": "1" } })).toThrow("linux.resources.unified");
    expect(written({ unified: {} })).toEqual([]);
  });
});
