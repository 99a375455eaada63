// What a host does to a guest beside its containers: clock, random numbers, swap, and disks that grow.
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { TestVm } from "../support/vm.ts";
import { type DiskFile, makeDisk, makeVolume } from "../support/vm-disk.ts";
import { ROOT_PORTS } from "../support/vm-hotplug.ts";
import { waiting } from "../support/vm-plug.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const MIB = 1 << 20;
const APPEARS_IN_MS = 10_000;
const [{ bus, path }] = ROOT_PORTS;

const options = { hotplug: true, modules: ["virtio_blk", "ext4", "xfs", "btrfs"] };

describeWithVm("A guest", options, (vm) => {
  test("has the time that it is told, and no other than the kernel counts", async () => {
    const set = (Sec: bigint, Usec = 0n) =>
      vm().client.call(method.setGuestDateTime, { Sec, Usec });
    await set(2_000_000_000n, 999_999n);
    expect(await vm().sh("date -u +%Y-%m-%dT%H:%M")).toBe("2033-05-18T03:33\n");
    await expect(set(secondsAt("1900-01-01"))).rejects.toThrow("is before 1970");
    await expect(set(secondsAt("9999-12-31"))).rejects.toThrow("EINVAL: Invalid argument");
    await expect(set(1n)).rejects.toThrow("EINVAL: Invalid argument");
    await expect(set(2_000_000_000n, 1_000_000n)).rejects.toThrow("Usec 1000000 is not within");
    await expect(set(2_000_000_000n, -1n)).rejects.toThrow("Usec -1 is not within");
    expect(await vm().sh("date -u +%Y-%m-%dT%H")).toBe("2033-05-18T03\n");
  });

  test("mixes what it is given into its random numbers", async () => {
    const data = crypto.getRandomValues(new Uint8Array(512));
    await vm().client.call(method.reseedRandomDev, { data });
    const none = vm().client.call(method.reseedRandomDev, {});
    await expect(none).rejects.toThrow("missing entropy data");
  });

  test("swaps to a disk that is prepared for it, and writes to no other", async () => {
    using disk = makeDisk("", 64 * MIB);
    await using _ = await plug(vm(), disk);
    const add = () => vm().client.call(method.addSwapPath, { path: "/dev/vda" });
    await expect(add()).rejects.toThrow("swapon /dev/vda: EINVAL: Invalid argument");
    await vm().sh("mkswap /dev/vda");
    await add();
    expect(await vm().sh("tail -n +2 /proc/swaps")).toMatch(/^\/dev\/vda +partition\s+65532/);
    await expect(add()).rejects.toThrow("EBUSY");
    await vm().sh("swapoff /dev/vda");
    const slots = path.split("/").map((slot) => Number.parseInt(slot, 16));
    await vm().client.call(method.addSwap, { PCIPath: slots });
    expect(await vm().sh("tail -n +2 /proc/swaps")).toStartWith("/dev/vda ");
    await vm().sh("swapoff /dev/vda");
    await expect(vm().client.call(method.addSwap, {})).rejects.toThrow("PCIPath is empty");
    const wrong = vm().client.call(method.addSwap, { PCIPath: [2, 32] });
    await expect(wrong).rejects.toThrow("PCI slot 32 should be in range [0..0x1f]");
    const missing = vm().client.call(method.addSwap, { PCIPath: [2, 1] });
    await expect(missing).rejects.toThrow("02");
  });

  test("swaps to a disk that comes when it has been named", async () => {
    using disk = makeVolume(["mkswap"], 64 * MIB);
    const adding = vm().client.call(method.addSwapPath, { path: "/dev/vda" });
    await waiting(vm());
    await using _ = await plug(vm(), disk);
    await adding;
    expect(await vm().sh("tail -n +2 /proc/swaps")).toStartWith("/dev/vda ");
    await vm().sh("swapoff /dev/vda");
  });

  test.each([
    ["ext4", ["mkfs.ext4", "-q"], 64],
    ["xfs", ["mkfs.xfs", "-q"], 320],
    ["btrfs", ["mkfs.btrfs", "-q"], 128],
  ])("has a volume of %s take all of a disk that has grown", async (fstype, mkfs, size) => {
    using disk = makeVolume(mkfs, size * MIB);
    await using _ = await plug(vm(), disk);
    await vm().sh(`mkdir -p /run/volume; mount -t ${fstype} /dev/vda /run/volume`);
    const volumeGuestPath = "/run/volume";
    const total = async () => {
      const { usage } = await vm().client.call(method.getVolumeStats, { volumeGuestPath });
      return Number(usage[0]?.total);
    };
    const before = await total();
    const resize = (bytes: number) =>
      vm().client.call(method.resizeVolume, { volumeGuestPath, size: BigInt(bytes) });
    await expect(resize(2 * size * MIB)).rejects.toThrow(`has ${size * MIB} bytes`);
    // Asked for before the guest has heard of it.
    const resized = resize(2 * size * MIB);
    await vm().machine.qmp.execute("block_resize", { "node-name": "disk", size: 2 * size * MIB });
    await resized;
    expect((await total()) - before).toBeGreaterThan(0.9 * size * MIB);
    // Once more changes nothing.
    const grown = await total();
    await resize(0);
    expect(await total()).toBe(grown);
    await vm().sh("umount /run/volume");
  });

  test("grows nothing where no disk is", async () => {
    const resize = (volumeGuestPath: string) =>
      vm().client.call(method.resizeVolume, { volumeGuestPath, size: 1n });
    await expect(resize("/run/nothing")).rejects.toThrow("nothing is mounted at /run/nothing");
    await expect(resize("/run")).rejects.toThrow("resize_volume is not implemented for tmpfs");
    await expect(resize("/run/../run")).rejects.toThrow("contains '..'");
    await expect(resize("run")).rejects.toThrow("is not absolute");
  });
});

function secondsAt(date: string): bigint {
  return BigInt(Date.parse(`${date}T00:00:00Z`) / 1000);
}

/** As /dev/vda, until the end of the scope. */
async function plug(vm: TestVm, disk: DiskFile): Promise<AsyncDisposable> {
  const { qmp } = vm.machine;
  await qmp.blockdevAdd("disk", disk.path);
  await qmp.deviceAdd("virtio-blk-pci", "blk", { drive: "disk", bus });
  const isThere = async () => (await vm.sh("test -b /dev/vda && echo yes || true")) === "yes\n";
  expect(await until(isThere, APPEARS_IN_MS)).toBe(true);
  return {
    [Symbol.asyncDispose]: async () => {
      await qmp.deviceDel("blk");
      await qmp.execute("blockdev-del", { "node-name": "disk" });
    },
  };
}
