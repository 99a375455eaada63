// Processors and memory that are plugged into a guest while its containers run.
import { beforeAll, expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { idleContainer } from "../support/container.ts";
import type { TestVm } from "../support/vm.ts";
import { MOST_PROCESSORS, ROOT_PORTS } from "../support/vm-hotplug.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const MIB = 1 << 20;
const APPEARS_IN_MS = 10_000;
/** What prints those that a process may run on. */
const PROCESSORS = ["grep", "Cpus_allowed_list", "/proc/self/status"];
/** What the kernel needs for what it says of new memory. */
const OVERHEAD = 0.1;

describeWithVm("A guest that grows", { hotplug: true, modules: ["virtio_mem"] }, (vm) => {
  createSandbox(vm);

  test("says how large a block of memory is, and that nobody needs to say where one is", async () => {
    const request = { memBlockSize: true, memHotplugProbe: true };
    const details = await vm().client.call(method.getGuestDetails, request);
    expect(details.memBlockSizeBytes).toBe(BigInt(128 * MIB));
    expect(details.supportMemHotplugProbe).toBe(false);
    const probing = vm().client.call(method.memHotplugByProbe, { memHotplugProbeAddr: [0n] });
    await expect(probing).rejects.toThrow("/probe: ENOENT");
  });

  test("says how many processors it has where more are wanted", async () => {
    const online = vm().client.call(method.onlineCPUMem, { nbCpus: MOST_PROCESSORS + 1 });
    await expect(online).rejects.toThrow("1 of 5 are online");
  });

  test("uses a processor that comes after the call, also in containers that are there already", async () => {
    await using container = await idleContainer(vm());
    const online = vm().client.call(method.onlineCPUMem, { nbCpus: 2, cpuOnly: true });
    await vm().client.call(Health.method.check, {});
    await vm().machine.qmp.addProcessor("cpu1");
    await online;
    expect(await vm().sh("cat /sys/devices/system/cpu/online")).toBe("0-1\n");
    expect((await container.run(PROCESSORS)).stdout).toBe("Cpus_allowed_list:\t0-1\n");
  });

  test("uses a memory module when it is told to, and other calls go on meanwhile", async () => {
    const before = await memoryOf(vm());
    await vm().sh("echo offline >/sys/devices/system/memory/auto_online_blocks");
    await plugModule(vm(), "dimm1", 256);
    expect(await appears(() => hasOffline(vm()))).toBe(true);
    const online = vm().client.call(method.onlineCPUMem, {});
    await vm().client.call(Health.method.check, {});
    await online;
    expect((await memoryOf(vm())) - before).toBeGreaterThan(256 * MIB * (1 - OVERHEAD));
    expect(await hasOffline(vm())).toBe(false);
  });

  test("has the next module at once", async () => {
    const before = await memoryOf(vm());
    await plugModule(vm(), "dimm2", 128);
    const grown = async () => (await memoryOf(vm())) - before > 128 * MIB * (1 - OVERHEAD);
    expect(await appears(grown)).toBe(true);
  });

  test("has what a virtio-mem device is asked to give, which is more than it gives at once", async () => {
    const { qmp } = vm().machine;
    const before = await memoryOf(vm());
    await vm().sh("echo offline >/sys/devices/system/memory/auto_online_blocks");
    await qmp.objectAdd("memory-backend-ram", "pool", { size: 2048 * MIB });
    await qmp.deviceAdd("virtio-mem-pci", "vm0", { memdev: "pool", bus: ROOT_PORTS[0].bus });
    await qmp.qomSet("vm0", "requested-size", 1536 * MIB);
    expect(await appears(() => hasOffline(vm()))).toBe(true);
    await vm().client.call(method.onlineCPUMem, { nbCpus: 1 });
    const grown = async () => (await memoryOf(vm())) - before > 1536 * MIB * (1 - OVERHEAD);
    expect(await appears(grown)).toBe(true);
  });
});

function createSandbox(vm: () => TestVm): void {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });
}

async function plugModule(vm: TestVm, id: string, megabytes: number): Promise<void> {
  const { qmp } = vm.machine;
  await qmp.objectAdd("memory-backend-ram", `${id}-ram`, { size: megabytes * MIB });
  await qmp.deviceAdd("pc-dimm", id, { memdev: `${id}-ram` });
}

/** In bytes. */
async function memoryOf(vm: TestVm): Promise<number> {
  const [, kilobytes] = /^MemTotal: *(\d+) kB$/m.exec(await vm.sh("cat /proc/meminfo")) ?? [];
  return Number(kilobytes) * 1024;
}

async function hasOffline(vm: TestVm): Promise<boolean> {
  return (await vm.sh("cat /sys/devices/system/memory/memory*/online")).includes("0");
}

function appears(check: () => Promise<boolean>): Promise<boolean> {
  return until(check, APPEARS_IN_MS);
}
