// `linux.resources`, UpdateContainer and StatsContainer on this machine's own v1 cgroups.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import type { TestAgent } from "../support/agent.ts";
import { hierarchies } from "../support/cgroup.ts";
import {
  type TestContainer,
  type Wanted,
  createContainer,
  idleContainer,
  sh,
} from "../support/container.ts";
import { cgroupsNamed } from "../support/held.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
type Asked = NonNullable<NonNullable<Wanted["linux"]>["Resources"]>;

const MiB = 1 << 20;
const rootOf = (controller: string) =>
  hierarchies.find(({ controllers }) => controllers.some((name) => name === controller))
    ?.mountPoint;
const NEEDED = ["memory", "pids", "cpu", "cpuacct", "cpuset", "blkio"];
const lacking = NEEDED.filter((name) => rootOf(name) === undefined);
const why = lacking.length === 0 ? "" : ` (skipped: no cgroup v1 controllers ${lacking})`;
const onV1 = (title: string, body: () => Promise<void>) =>
  test.skipIf(lacking.length > 0)(title + why, body);

/** What a file of the container's cgroup says. */
function fileOf(agent: TestAgent, { containerId }: { containerId: string }, file: string): string {
  const root = rootOf(file.slice(0, file.indexOf(".")));
  return readFileSync(`${root}/${agent.cgroup}/${containerId}/${file}`, "utf8").trim();
}

const limited = (resources: Asked): Wanted => ({ linux: { Resources: resources } });

function update(agent: TestAgent, { containerId }: TestContainer, resources: Asked) {
  return agent.client.call(method.updateContainer, { containerId, resources });
}

async function statsOf(agent: TestAgent, { containerId }: TestContainer) {
  const { cgroupStats, networkStats } = await agent.client.call(method.statsContainer, {
    containerId,
  });
  expect(networkStats).toEqual([]);
  if (cgroupStats === undefined) throw new Error("no statistics");
  return cgroupStats;
}

describeWithAgent("linux.resources", (agent) => {
  onV1("kills what takes more memory than it may", async () => {
    const hog = "x=x; while :; do x=$x$x; done";
    const memory = { Memory: { Limit: BigInt(16 * MiB), Swap: BigInt(16 * MiB) } };
    const { status } = await sh(agent(), hog, limited(memory));
    expect(status).toBe(137);
  });

  onV1("lets no more processes in than it may", async () => {
    const forks = "for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all";
    const { status, stdout, stderr } = await sh(agent(), forks, limited({ Pids: { Limit: 4n } }));
    expect(status).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toContain("fork");
  });

  onV1("is in the files before the first process runs", async () => {
    await using container = await createContainer(
      agent(),
      ["true"],
      limited({
        CPU: { Shares: 512n, Quota: 20_000n, Period: 50_000n, Cpus: "0", Mems: "0" },
        Memory: { Limit: BigInt(64 * MiB), Swap: BigInt(96 * MiB), Reservation: BigInt(MiB) },
        Pids: { Limit: 77n },
      }),
    );
    const read = (file: string) => fileOf(agent(), container, file);
    expect({
      shares: read("cpu.shares"),
      quota: read("cpu.cfs_quota_us"),
      period: read("cpu.cfs_period_us"),
      cpus: read("cpuset.cpus"),
      mems: read("cpuset.mems"),
      limit: read("memory.limit_in_bytes"),
      both: read("memory.memsw.limit_in_bytes"),
      reservation: read("memory.soft_limit_in_bytes"),
      pids: read("pids.max"),
    }).toEqual({
      shares: "512",
      quota: "20000",
      period: "50000",
      cpus: "0",
      mems: "0",
      limit: String(64 * MiB),
      both: String(96 * MiB),
      reservation: String(MiB),
      pids: "77",
    });
    await container.start();
    expect(await container.wait()).toBe(0);
  });

  test.skipIf(lacking.length > 0).each<[string, Asked, RegExp]>([
    [
      "a processor that is not there",
      { CPU: { Cpus: "0-4095" } },
      /^linux\.resources\.cpu\.cpus: write 0-4095 to \S+cpuset\.cpus: E(RANGE|INVAL|ACCES): /,
    ],
    [
      "a file that the kernel does not have",
      { BlockIO: { LeafWeight: 500 } },
      /^linux\.resources\.blockIO\.leafWeight: write 500 to \S+: ENOENT: /,
    ],
    [
      "less memory and swap than memory",
      { Memory: { Swap: 4096n } },
      /^linux\.resources\.memory\.swap: write 4096 to \S+memsw\.limit_in_bytes: EINVAL: /,
    ],
    [
      "a device that is not there",
      { BlockIO: { ThrottleReadBpsDevice: [{ Major: 4000n, Minor: 1n, Rate: 5n }] } },
      /^linux\.resources\.blockIO\.throttleReadBpsDevice\[0\]: write 4000:1 5 to \S+: ENODEV: /,
    ],
  ])(`with %s makes no container, and leaves nothing${why}`, async (_, resources, message) => {
    const before = agent().held();
    const refused = await refusalOf(createContainer(agent(), ["true"], limited(resources)));
    expect(refused).toEqual({ code: Code.INTERNAL, message: expect.stringMatching(message) });
    await agent().untilHeld(before);
    expect(cgroupsNamed(agent().cgroup)).toEqual([]);
  });

  onV1("of kernel memory, which kernels no longer limit, is no reason to fail", async () => {
    const memory = { Memory: { Kernel: BigInt(64 * MiB), KernelTCP: BigInt(64 * MiB) } };
    expect(await sh(agent(), "echo runs", limited(memory))).toMatchObject({ stdout: "runs\n" });
  });

  test.skipIf(lacking.length > 0 || rootOf("net_cls") !== undefined)(
    `of a controller that is not mounted is refused by its name${why}`,
    async () => {
      const refused = await refusalOf(
        createContainer(agent(), ["true"], limited({ Network: { ClassID: 5 } })),
      );
      expect(refused.message).toBe(
        "linux.resources.network.classID: the cgroup controller net_cls is not mounted",
      );
    },
  );

  test("with a swappiness past 100 is refused", async () => {
    const refused = await refusalOf(
      createContainer(agent(), ["true"], limited({ Memory: { Swappiness: 101n } })),
    );
    expect(refused).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "invalid value:101. valid memory swappiness range is 0-100",
    });
  });
});

describeWithAgent("UpdateContainer", (agent) => {
  onV1("raises and lowers limits, and takes them away, also while paused", async () => {
    await using container = await idleContainer(agent());
    const memory = async (limit: number, swap: number) => {
      await update(agent(), container, { Memory: { Limit: BigInt(limit), Swap: BigInt(swap) } });
      return [
        fileOf(agent(), container, "memory.limit_in_bytes"),
        fileOf(agent(), container, "memory.memsw.limit_in_bytes"),
      ];
    };
    const none = fileOf(agent(), container, "memory.limit_in_bytes");
    expect(await memory(64 * MiB, 64 * MiB)).toEqual([String(64 * MiB), String(64 * MiB)]);
    expect(await memory(128 * MiB, 256 * MiB)).toEqual([String(128 * MiB), String(256 * MiB)]);
    expect(await memory(32 * MiB, 48 * MiB)).toEqual([String(32 * MiB), String(48 * MiB)]);
    await agent().client.call(method.pauseContainer, { containerId: container.containerId });
    expect(await memory(-1, -1)).toEqual([none, none]);
    await agent().client.call(method.resumeContainer, { containerId: container.containerId });
  });

  onV1("changes period and quota in the order that the pod's own quota allows", async () => {
    await using container = await idleContainer(agent());
    const cpu = async (quota: bigint, period: bigint) => {
      await update(agent(), container, { CPU: { Quota: quota, Period: period } });
      const read = (name: string) => fileOf(agent(), container, `cpu.cfs_${name}_us`);
      return `${read("quota")}/${read("period")}`;
    };
    const pod = `${rootOf("cpu")}/${agent().cgroup}/cpu.cfs_quota_us`;
    await Bun.write(pod, "50000");
    expect(await cpu(50_000n, 100_000n)).toBe("50000/100000");
    expect(await cpu(100_000n, 200_000n)).toBe("100000/200000");
    expect(await cpu(5000n, 10_000n)).toBe("5000/10000");
    expect(await cpu(-1n, 100_000n)).toBe("-1/100000");
    await Bun.write(pod, "-1");
  });

  onV1("gives processors back that the cgroup above had lost", async () => {
    await using container = await idleContainer(agent());
    const pod = `${rootOf("cpuset")}/${agent().cgroup}/cpuset.cpus`;
    const all = readFileSync(pod, "utf8").trim();
    await update(agent(), container, { CPU: { Cpus: "0" } });
    expect(fileOf(agent(), container, "cpuset.cpus")).toBe("0");
    await Bun.write(pod, "0");
    await update(agent(), container, { CPU: { Cpus: all } });
    expect(fileOf(agent(), container, "cpuset.cpus")).toBe(all);
    expect(readFileSync(pod, "utf8").trim()).toBe(all);
  });

  onV1(
    "gives processors that have come to who has asked for none, and to nobody else",
    async () => {
      const pod = `${rootOf("cpuset")}/${agent().cgroup}/cpuset.cpus`;
      await using any = await idleContainer(agent());
      await using first = await idleContainer(agent(), limited({ CPU: { Cpus: "0" } }));
      const all = readFileSync(`${rootOf("cpuset")}/cpuset.cpus`, "utf8").trim();
      // As they were made before all but one had come.
      await Bun.write(pod.replace("cpuset.cpus", `${any.containerId}/cpuset.cpus`), "0");
      await Bun.write(pod, "0");
      await agent().client.call(method.onlineCPUMem, { nbCpus: 1, cpuOnly: true });
      expect(fileOf(agent(), any, "cpuset.cpus")).toBe(all);
      expect(fileOf(agent(), first, "cpuset.cpus")).toBe("0");
      expect(readFileSync(pod, "utf8").trim()).toBe(all);
    },
  );

  onV1("names what the kernel refuses, and changes nothing without resources", async () => {
    await using container = await idleContainer(agent(), limited({ Pids: { Limit: 50n } }));
    const { containerId } = container;
    await agent().client.call(method.updateContainer, { containerId });
    expect(fileOf(agent(), container, "pids.max")).toBe("50");
    const refused = await refusalOf(update(agent(), container, { CPU: { Quota: 1n } }));
    expect(refused).toEqual({
      code: Code.INTERNAL,
      message: expect.stringMatching(
        /^linux\.resources\.cpu\.quota: write 1 to \S+cpu\.cfs_quota_us: EINVAL: /,
      ),
    });
    await update(agent(), container, { Pids: { Limit: 60n } });
    expect(fileOf(agent(), container, "pids.max")).toBe("60");
  });

  test("of nobody is refused", async () => {
    const refused = await refusalOf(
      agent().client.call(method.updateContainer, { containerId: "nobody" }),
    );
    expect(refused.code).toBe(Code.INVALID_ARGUMENT);
  });
});

describeWithAgent("StatsContainer", (agent) => {
  onV1("tells what the files say", async () => {
    const memory = { Limit: BigInt(64 * MiB), Swap: BigInt(64 * MiB) };
    await using container = await idleContainer(
      agent(),
      limited({ Memory: memory, Pids: { Limit: 50n } }),
    );
    await container.run(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"]);
    // Nobody uses anything while it is compared.
    await agent().client.call(method.pauseContainer, { containerId: container.containerId });
    const { cpuStats, memoryStats, pidsStats, blkioStats } = await statsOf(agent(), container);
    const number = (file: string) => BigInt(fileOf(agent(), container, file));
    expect(pidsStats).toMatchObject({ current: 1n, limit: 50n });
    expect(cpuStats?.cpuUsage?.totalUsage).toBe(number("cpuacct.usage"));
    expect(cpuStats?.cpuUsage?.totalUsage).toBeGreaterThan(0n);
    expect(cpuStats?.cpuUsage?.percpuUsage.map(String)).toEqual(
      fileOf(agent(), container, "cpuacct.usage_percpu").split(" "),
    );
    const ticks = fileOf(agent(), container, "cpuacct.stat").split(/\s+/);
    expect(ticks).toEqual([
      "user",
      String((cpuStats?.cpuUsage?.usageInUsermode ?? 0n) / 10_000_000n),
      "system",
      String((cpuStats?.cpuUsage?.usageInKernelmode ?? 0n) / 10_000_000n),
    ]);
    expect(cpuStats?.throttlingData?.periods).toBe(0n);
    expect(memoryStats?.usage?.limit).toBe(BigInt(64 * MiB));
    expect(memoryStats?.usage?.maxUsage).toBe(number("memory.max_usage_in_bytes"));
    expect(memoryStats?.swapUsage?.limit).toBe(number("memory.memsw.limit_in_bytes"));
    expect(memoryStats?.kernelUsage?.limit).toBe(number("memory.kmem.limit_in_bytes"));
    expect(memoryStats?.cache).toBe(memoryStats?.stats["cache"]);
    const keys = fileOf(agent(), container, "memory.stat").split("\n");
    expect(Object.keys(memoryStats?.stats ?? {})).toHaveLength(keys.length);
    const devices = fileOf(agent(), container, "blkio.throttle.io_serviced");
    expect(blkioStats?.ioServicedRecursive.map(({ op }) => op)).toEqual(
      devices
        .split("\n")
        .filter((line) => line.includes(" Read "))
        .flatMap(() => ["read", "write", "sync", "async", "total"]),
    );
    await agent().client.call(method.resumeContainer, { containerId: container.containerId });
  });

  onV1("counts the time that a quota has taken", async () => {
    await using container = await idleContainer(
      agent(),
      limited({ CPU: { Quota: 1000n, Period: 10_000n } }),
    );
    await container.run(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"]);
    const { cpuStats } = await statsOf(agent(), container);
    expect(cpuStats?.throttlingData?.throttledPeriods).toBeGreaterThan(0n);
    expect(cpuStats?.throttlingData?.throttledTime).toBeGreaterThan(0n);
  });

  test("of nobody is refused", async () => {
    const refused = await refusalOf(
      agent().client.call(method.statsContainer, { containerId: "nobody" }),
    );
    expect(refused.code).toBe(Code.INVALID_ARGUMENT);
  });
});
