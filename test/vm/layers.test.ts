// Images as EROFS layers on a disk, checked by dm-verity: multi-layer storages on real partitions.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { startContainer } from "../support/container.ts";
import {
  type DiskLayer,
  WHOLE,
  layerStorages,
  makeLayeredRoot,
  makeUpperDisk,
  spoil,
} from "../support/layered-disk.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestVm } from "../support/vm.ts";
import { BRIDGE } from "../support/vm-hotplug.ts";
import { stateOf } from "../support/vm-state.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const options = {
  hotplug: true,
  modules: ["virtio_blk", "erofs", "overlay", "ext4", "dm_mod", "dm_verity"],
};

const SHARE = "/run/kata-containers/shared/containers";
const slot = (number: number) => `${number}`.padStart(2, "0");

describeWithVm("Layers of an image on a disk", options, (vm) => {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-layers-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  let layers: readonly DiskLayer[] = [];

  beforeAll(async () => {
    const disk = makeLayeredRoot(directory);
    layers = disk.layers;
    const spoilt = join(directory, "spoilt.disk");
    copyFileSync(disk.path, spoilt);
    // The superblock of the second layer, 1024 bytes into it.
    spoil(spoilt, (layers[1]?.start ?? 0) + 1030);
    await vm().sh(`mkdir -p ${SHARE}`);
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
    await plug(vm(), 1, disk.path);
    await plug(vm(), 2, makeUpperDisk(directory));
    await plug(vm(), 3, spoilt);
    // The image of the second layer by itself.
    await plug(vm(), 4, join(directory, "layer-2"));
  });

  test("are the root of a container, the first above the others", async () => {
    const before = await stateOf(vm());
    {
      await using container = await start(vm(), "c-memory", { lowers: 1, layers });
      const { stdout } = await container.run(["cat", "/etc/layer", "/etc/only-below"]);
      expect(stdout).toBe("above\nbelow\n");
      expect((await container.run(["touch", "/written"])).status).toBe(0);
      expect(await verityDevices(vm())).toHaveLength(2);
    }
    expect(await stateOf(vm())).toEqual(before);
    expect(await vm().sh(`ls ${SHARE}`)).toBe("");
    expect(await verityDevices(vm())).toEqual([]);
  });

  test("are written over on the disk that is given for it, and nowhere else", async () => {
    const write = { lowers: 1, upper: 2, layers };
    {
      await using container = await start(vm(), "c-disk", write);
      await container.run(["sh", "-c", "echo mine > /etc/layer"]);
    }
    await using again = await start(vm(), "c-again", write);
    expect((await again.run(["cat", "/etc/layer"])).stdout).toBe("mine\n");
  });

  test("may be one image that is the whole disk, as where the snapshotter merges them", async () => {
    const before = await stateOf(vm());
    {
      await using container = await start(vm(), "c-whole", { lowers: 4, layers: [WHOLE] });
      expect((await container.run(["cat", "/etc/layer"])).stdout).toBe("below\n");
      expect((await container.run(["touch", "/written"])).status).toBe(0);
    }
    expect(await stateOf(vm())).toEqual(before);
  });

  test("may be shared by two containers, and the last takes the devices away", async () => {
    const first = await start(vm(), "c-first", { lowers: 1, layers });
    await using second = await start(vm(), "c-second", { lowers: 1, layers });
    expect(await verityDevices(vm())).toHaveLength(2);
    await first.remove();
    expect((await second.run(["cat", "/etc/layer"])).stdout).toBe("above\n");
  });

  test("are refused when a block is not what its hash says, and nothing is left", async () => {
    const before = await stateOf(vm());
    const refused = await refusalOf(start(vm(), "c-spoilt", { lowers: 3, layers }));
    expect(refused.message).toContain("mount erofs");
    expect(await stateOf(vm())).toEqual(before);
    expect(await verityDevices(vm())).toEqual([]);
  });

  test("are refused when the hash of their root is another one", async () => {
    const other = layers.map((layer) => ({ ...layer, rootHash: "00".repeat(32) }));
    const refused = await refusalOf(start(vm(), "c-other", { lowers: 1, layers: other }));
    expect(refused.message).toContain("mount erofs");
    expect(await verityDevices(vm())).toEqual([]);
  });

  test("are waited for no longer than a disk may take to come", async () => {
    const missing = layers.map((layer) => ({ ...layer, partition: 9 }));
    const refused = await refusalOf(start(vm(), "c-missing", { lowers: 1, layers: missing }));
    expect(refused.message).toContain("waiting for uevent of partition /dev/vd");
  });
});

type Wanted = {
  /** The slot of the disk with the layers. */
  readonly lowers: number;
  readonly layers: Parameters<typeof layerStorages>[1];
  /** The slot of the disk to write to. */
  readonly upper?: number;
};

async function start(vm: TestVm, id: string, { lowers, upper, layers }: Wanted) {
  const mountPoint = `${SHARE}/${id}/rootfs`;
  const at = (number: number) => `${BRIDGE.path}/${slot(number)}`;
  const places = { lowers: at(lowers), ...(upper === undefined ? {} : { upper: at(upper) }) };
  return await startContainer(vm, ["sleep", "1000"], {
    id,
    rootfs: mountPoint,
    request: { storages: layerStorages(mountPoint, layers, places) },
  });
}

async function plug(vm: TestVm, number: number, path: string): Promise<void> {
  const { qmp } = vm.machine;
  await qmp.blockdevAdd(`disk${number}`, path);
  const place = { drive: `disk${number}`, bus: BRIDGE.bus, addr: slot(number) };
  await qmp.deviceAdd("virtio-blk-pci", `blk${number}`, place);
}

async function verityDevices(vm: TestVm): Promise<string[]> {
  const names = await vm.sh("cat /sys/block/dm-*/dm/name 2>/dev/null || true");
  return names.split("\n").filter((name) => name !== "");
}
