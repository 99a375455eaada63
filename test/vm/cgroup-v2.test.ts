// Limits, devices, and the lack of memory in a guest with cgroup v2 and every controller, from a disk.
import { beforeAll, describe, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import {
  type TestContainer,
  type Wanted,
  createContainer,
  idleContainer,
  sh,
  startContainer,
} from "../support/container.ts";
import { testDevicePolicy } from "../support/device-policy.ts";
import { EAT, nextId, testOomEvents } from "../support/oom-events.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestVm } from "../support/vm.ts";
import { stateOf } from "../support/vm-state.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;
type Asked = NonNullable<NonNullable<Wanted["linux"]>["Resources"]>;

const MiB = 1 << 20;
const limited = (Resources: Asked): Wanted => ({ linux: { Resources } });

/** A container may share out its own cgroup. */
const CGROUP = { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] };

const directoryOf = ({ cgroup }: TestVm, { containerId }: { containerId: string }) =>
  `/sys/fs/cgroup/${cgroup}/${containerId}`;

/** What files of the container's cgroup say. */
async function filesOf(
  vm: TestVm,
  container: TestContainer,
  names: readonly string[],
): Promise<Record<string, string>> {
  const directory = directoryOf(vm, container);
  const text = await vm.sh(`cd ${directory}; for name in ${names.join(" ")}; do cat $name; done`);
  const lines = text.trim().split("\n");
  expect(lines).toHaveLength(names.length);
  return Object.fromEntries(names.map((name, index) => [name, lines[index] ?? ""]));
}

const options = { root: "disk", megabytes: 512 } as const;

describeWithVm("A guest with cgroup v2", options, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod", hostname: "guest" });
  });

  const update = (container: TestContainer, resources: Asked) =>
    vm().client.call(method.updateContainer, { containerId: container.containerId, resources });

  describe("has limits", () => {
    test("in the files before the first process runs", async () => {
      const disk = (await vm().sh("cat /sys/block/vda/dev")).trim();
      const [major = "", minor = ""] = disk.split(":");
      const rate = { Major: BigInt(major), Minor: BigInt(minor), Rate: BigInt(MiB) };
      await using container = await createContainer(
        vm(),
        ["true"],
        limited({
          CPU: { Shares: 1024n, Quota: 20_000n, Period: 50_000n, Cpus: "0", Mems: "0" },
          Memory: { Limit: BigInt(64 * MiB), Swap: BigInt(96 * MiB), Reservation: BigInt(MiB) },
          Pids: { Limit: 77n },
          BlockIO: {
            Weight: 500,
            ThrottleReadBpsDevice: [rate],
            ThrottleWriteIOPSDevice: [rate],
          },
          HugepageLimits: [{ Pagesize: "2MB", Limit: BigInt(4 * MiB) }],
        }),
      );
      const wanted = {
        "cpu.weight": "100",
        "cpu.max": "20000 50000",
        "cpuset.cpus": "0",
        "cpuset.mems": "0",
        "memory.max": String(64 * MiB),
        "memory.swap.max": String(32 * MiB),
        "memory.low": String(MiB),
        "pids.max": "77",
        "io.weight": "default 4950",
        "io.max": `${disk} rbps=${MiB} wbps=max riops=max wiops=${MiB}`,
        "hugetlb.2MB.max": String(4 * MiB),
        "hugetlb.2MB.rsvd.max": String(4 * MiB),
      };
      expect(await filesOf(vm(), container, Object.keys(wanted))).toEqual(wanted);
      await container.start();
      expect(await container.wait()).toBe(0);
    });

    test("of memory and swap that go up, down and away", async () => {
      await using container = await idleContainer(vm());
      const memory = async (limit: number, swap: number) => {
        await update(container, { Memory: { Limit: BigInt(limit), Swap: BigInt(swap) } });
        return Object.values(await filesOf(vm(), container, ["memory.max", "memory.swap.max"]));
      };
      expect(await memory(64 * MiB, 64 * MiB)).toEqual([String(64 * MiB), "0"]);
      expect(await memory(32 * MiB, 96 * MiB)).toEqual([String(32 * MiB), String(64 * MiB)]);
      expect(await memory(64 * MiB, -1)).toEqual([String(64 * MiB), "max"]);
      expect(await memory(-1, -1)).toEqual(["max", "max"]);
      const refused = update(container, { Memory: { Limit: BigInt(2 * MiB), Swap: BigInt(MiB) } });
      expect(await refusalOf(refused)).toEqual({
        code: Code.INVALID_ARGUMENT,
        message: expect.stringContaining("memory+swap limit should be >= memory limit"),
      });
    });

    test("of bandwidth that slow it down, and are lifted", async () => {
      const spin = ["sh", "-c", "while :; do :; done"];
      await using container = await startContainer(
        vm(),
        spin,
        limited({ CPU: { Quota: 2000n, Period: 100_000n } }),
      );
      const { containerId } = container;
      const throttled = async () => {
        const { cgroupStats } = await vm().client.call(method.statsContainer, { containerId });
        return cgroupStats?.cpuStats?.throttlingData?.throttledPeriods ?? 0n;
      };
      while ((await throttled()) === 0n);
      await update(container, { CPU: { Quota: -1n } });
      expect(await filesOf(vm(), container, ["cpu.max"])).toEqual({ "cpu.max": "max 100000" });
    });

    test("of processes", async () => {
      const forks = "for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all";
      const { stdout, stderr } = await sh(vm(), forks, limited({ Pids: { Limit: 4n } }));
      expect(stdout).toBe("");
      expect(stderr).toContain("fork");
    });

    test("that are refused by the field's name where the kernel does not take them", async () => {
      const before = await stateOf(vm());
      const asked = limited({
        BlockIO: { ThrottleReadBpsDevice: [{ Major: 4000n, Minor: 1n, Rate: 5n }] },
      });
      expect((await refusalOf(createContainer(vm(), ["true"], asked))).message).toMatch(
        /^linux\.resources\.blockIO\.throttleReadBpsDevice\[0\]: write 4000:1 rbps=5 to \S+: ENODEV: /,
      );
      expect(await stateOf(vm())).toEqual(before);
    });
  });

  describe("lets a container use devices (D26):", () => testDevicePolicy(test, vm));

  describe("tells of a lack of memory, which", () => {
    testOomEvents(test, vm);

    test("is told once of a container", async () => {
      await using container = await idleContainer(vm(), limited({ Memory: { Limit: 16n << 20n } }));
      for (let i = 0; i < 2; i++) await container.run(["sh", "-c", EAT]);
      const event = nextId(vm().client);
      expect(await event).toBe(container.containerId);
      await using other = await startContainer(
        vm(),
        ["sh", "-c", EAT],
        limited({ Memory: { Limit: 16n << 20n } }),
      );
      expect(await nextId(vm().client)).toBe(other.containerId);
    });

    test("may be that of a cgroup that the container has made", async () => {
      const script = `cd /sys/fs/cgroup; mkdir all one; echo 1 >all/cgroup.procs
        echo +memory >cgroup.subtree_control; echo 16M >one/memory.max; echo 0 >one/memory.swap.max
        (echo 0 >one/cgroup.procs; ${EAT}); echo over; read line`;
      await using container = await startContainer(vm(), ["sh", "-c", script], {
        mounts: [CGROUP],
      });
      await container.readUntil("over\n");
      expect(await nextId(vm().client)).toBe(container.containerId);
    });
  });

  describe("has containers that share out their cgroup, which", () => {
    const share = `cd /sys/fs/cgroup; mkdir first second; echo 1 >first/cgroup.procs
      echo +pids >cgroup.subtree_control; sleep 1000 & echo $! >second/cgroup.procs; echo shared; wait`;

    test("another process can enter, where the first one is", async () => {
      await using container = await startContainer(vm(), ["sh", "-c", share], {
        mounts: [CGROUP],
      });
      await container.readUntil("shared\n");
      expect(await container.run(["cat", "/proc/self/cgroup"])).toEqual({
        status: 0,
        stdout: "0::/first\n",
        stderr: "",
      });
      const terminal = await container.run(["sh", "-c", "tty"], { Terminal: true });
      expect(terminal.stdout).toBe("/dev/pts/0\r\n");
    });

    test("stop as a whole, and go as a whole", async () => {
      const before = await stateOf(vm());
      const container = await startContainer(vm(), ["sh", "-c", share], { mounts: [CGROUP] });
      await container.readUntil("shared\n");
      await container.pause();
      const nested = { containerId: `${container.containerId}/second` };
      const events = `cat ${directoryOf(vm(), nested)}/cgroup.events`;
      expect(await vm().sh(events)).toContain("frozen 1");
      await container.remove();
      expect(await stateOf(vm())).toEqual(before);
    });
  });
});
