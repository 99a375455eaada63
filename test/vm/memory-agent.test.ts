// Memory of a guest that is given back, by the memory agent.
import { beforeAll, expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { agingCommand, parseLruGen } from "../../src/linux/lru-gen.ts";
import type { TestVm } from "../support/vm.ts";
import { makeExt4Disk } from "../support/vm-disk.ts";
import { BRIDGE } from "../support/vm-hotplug.ts";
import { plugDisk } from "../support/vm-plug.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const LRU_GEN = "/sys/kernel/debug/lru_gen";
const SOON_MS = 60_000;
const MIB = 1 << 20;
const PAGE = 4096;
const FILE_MIB = 32;

/** Nothing of it is held back by what the emulator makes anybody wait for. */
const CALM = { periodPsiPercentLimit: 255, periodSecs: 1n };

const options = {
  hotplug: true,
  modules: ["virtio_blk", "ext4"],
  words: ["psi=1", "agent.mem_agent_enable=1"],
};

describeWithVm("A guest with the memory agent", options, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });

  test("gives back the pages of files that nobody has used for some generations", async () => {
    const disk = makeExt4Disk({}, 2 * FILE_MIB * MIB);
    await using _ = await plugDisk(vm(), disk, "virtio-blk-pci", { bus: BRIDGE.bus, addr: "01" });
    const isThere = async () => (await vm().sh("test -b /dev/vda && echo yes || true")) !== "";
    expect(await until(isThere, SOON_MS)).toBe(true);
    await vm().sh("mkdir -p /run/files; mount -t ext4 /dev/vda /run/files");
    await vm().sh(`dd if=/dev/zero of=/run/files/large bs=1M count=${FILE_MIB}; sync`);
    expect(await filesOf(vm())).toBeGreaterThan(FILE_MIB * MIB * 0.9);
    // As time would do it, which takes a minute for each.
    const isOld = async () => {
      if ((await oldFilesOf(vm())) * PAGE > FILE_MIB * MIB * 0.9) return true;
      await age(vm());
      return false;
    };
    expect(await until(isOld, SOON_MS)).toBe(true);
    const before = await oldFilesOf(vm());
    await vm().client.call(method.memAgentMemcgSet, {
      ...CALM,
      evictionPsiPercentLimit: 255,
      evictionRunAgingCountMin: 0n,
    });
    expect(await until(async () => (await oldFilesOf(vm())) < before / 2, SOON_MS)).toBe(true);
    await vm().client.call(method.memAgentMemcgSet, { disabled: true });
    await vm().sh("umount /run/files");
  });

  test("puts free memory together when it is told to", async () => {
    const scanned = async () =>
      Number(/^compact_free_scanned (\d+)$/m.exec(await vm().sh("cat /proc/vmstat"))?.[1]);
    const before = await scanned();
    await vm().client.call(method.memAgentCompactSet, {
      ...CALM,
      compactPsiPercentLimit: 255,
      compactForceTimes: 0n,
    });
    expect(await until(async () => (await scanned()) > before, SOON_MS)).toBe(true);
  });

  test("is not told numbers that it would have to cut", async () => {
    const set = vm().client.call(method.memAgentMemcgSet, { swappinessMax: 256 });
    await expect(set).rejects.toThrow("swappiness_max: 256 is above 255");
  });
});

const lacking = { words: ["psi=0", "agent.mem_agent_enable=1"] };

describeWithVm("A guest whose kernel accounts for no pressure", lacking, (vm) => {
  test("says so to whoever tells its memory agent something, and serves all else", async () => {
    const set = vm().client.call(method.memAgentMemcgSet, {});
    await expect(set).rejects.toThrow("the guest's kernel has no account of memory pressure");
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });
});

async function generationsOf(vm: TestVm) {
  return parseLruGen(await vm.sh(`cat ${LRU_GEN}`));
}

/** Begin one more generation of each cgroup. */
async function age(vm: TestVm): Promise<void> {
  for (const each of await generationsOf(vm))
    await vm.sh(`echo '${agingCommand(each, false)}' >${LRU_GEN}`);
}

/** Pages of files in the oldest generations. */
async function oldFilesOf(vm: TestVm): Promise<number> {
  return (await generationsOf(vm)).reduce((sum, { file }) => sum + file, 0);
}

/** In bytes. */
async function filesOf(vm: TestVm): Promise<number> {
  const pages = /^nr_(?:in)?active_file (\d+)$/gm;
  const counts = [...(await vm.sh("cat /proc/vmstat")).matchAll(pages)].map(([, n]) => Number(n));
  return counts.reduce((sum, each) => sum + each, 0) * PAGE;
}
