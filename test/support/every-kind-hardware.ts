// What is in a machine, and is plugged into it, for one of each kind of volume and device. Each disk begins
// with the name of its kind, or has it in a file.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "./cpio.ts";
import { COLD_PORT, LATE_PORT, MADE_AT, NET_PORT, NIC, TAG, VFIO_PORT } from "./every-kind.ts";
import { type LayeredDisk, makeLayeredRoot, makeUpperDisk } from "./layered-disk.ts";
import { makeRootfs } from "./rootfs.ts";
import type { TestVm } from "./vm.ts";
import { type DiskFile, makeDisk, makeExt4Disk, readExt4 } from "./vm-disk.ts";
import { BRIDGE, IOMMU } from "./vm-hotplug.ts";
import type { MachineOptions } from "./vm-machine.ts";
import { plugDisk, plugFunction, plugInterface, plugPmem, plugScsiDisk } from "./vm-plug.ts";
import { VirtioFsDevice } from "./vm-virtio-fs.ts";

const SECTOR = 512;
const SMALL = 1 << 20;
const PMEM = 128 << 20;

/** The slots of the bridge with the layers of a container's root, and what is written over them. */
export const LAYERS = "05";
export const UPPER = "06";

const MODULES = (
  "virtio_blk virtio_scsi sd_mod nfit nd_pmem loop dm_mod dm_verity ext4 erofs overlay virtiofs " +
  "virtio_net vfio_pci vfio_iommu_type1"
).split(" ");

export class EveryKindHardware implements AsyncDisposable {
  readonly layers: LayeredDisk["layers"];
  readonly #share = new VirtioFsDevice(TAG);
  readonly #layered: LayeredDisk;
  readonly #upper: string;
  readonly #cold: DiskFile;
  /** By the name of the kind: those with ext4, and those without. */
  readonly #volumes = new Map<string, DiskFile>();
  readonly #devices = new Map<string, DiskFile>();
  readonly #files = new AsyncDisposableStack();
  readonly #plugged = new AsyncDisposableStack();

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "kata-agent-every-kind-"));
    this.#files.defer(() => rmSync(directory, { recursive: true }));
    this.#files.use(this.#share);
    this.#layered = makeLayeredRoot(directory);
    this.layers = this.#layered.layers;
    this.#upper = makeUpperDisk(directory);
    this.#cold = this.#volume("blk-cold");
    this.#fillShare();
  }

  /** What the guest starts with; the share is served by then. */
  async start(): Promise<MachineOptions> {
    await this.#share.start();
    using mmioblk = makeExt4Disk({ marker: "mmioblk" }, SMALL);
    const loops = [readFileSync(mmioblk.path), line("device-mmioblk"), line("cdi")];
    const drive = `if=none,id=cold,format=raw,file=${this.#cold.path}`;
    const disk = ["-drive", drive, "-device", `virtio-blk-pci,drive=cold,bus=${COLD_PORT.bus}`];
    return {
      hotplug: true,
      devices: [...IOMMU, ...this.#share.arguments, ...disk],
      modules: MODULES,
      words: ["intel_iommu=on", "agent.hotplug_timeout=30"],
      files: loops.map((bytes, number) => file(`loop${number}`, bytes)),
    };
  }

  /** What is there before anybody asks for it. */
  async plug(vm: TestVm): Promise<void> {
    for (const number of [0, 1, 2]) await vm.sh(`losetup /dev/loop${number} /loop${number}`);
    await this.#onBridge(vm, "01", this.#volume("blk"));
    await this.#onBridge(vm, "02", this.#device("raw"));
    await this.#onBridge(vm, "03", this.#device("device-blk"));
    await this.#onBridge(vm, LAYERS, this.#layered);
    await this.#onBridge(vm, UPPER, { path: this.#upper });
    this.#plugged.use(await plugScsiDisk(vm, kept(this.#volume("scsi")), 1));
    this.#plugged.use(await plugScsiDisk(vm, kept(this.#device("device-scsi")), 2));
    const place = { bus: NET_PORT.bus, mac: NIC.mac };
    this.#plugged.use(await plugInterface(vm, { type: "user" }, place));
  }

  /** What comes when somebody waits for it. */
  async plugLate(vm: TestVm): Promise<void> {
    await this.#onBridge(vm, "04", this.#device("device-late"));
    const late = kept(this.#volume("blk-late"));
    this.#plugged.use(await plugDisk(vm, late, "virtio-blk-pci", { bus: LATE_PORT.bus }));
    await plugPmem(vm, this.#volume("nvdimm", PMEM), PMEM);
    await plugPmem(vm, this.#device("device-nvdimm", PMEM), PMEM, "/dev/pmem1");
    this.#plugged.use(await plugFunction(vm, VFIO_PORT));
  }

  /** A file of the share. */
  shared(path: string): string {
    return join(this.#share.directory, path);
  }

  /** By kind, what containers have left there for the host. Throws where a disk is still mounted. */
  made(): Record<string, string> {
    return Object.fromEntries([
      ...[...this.#volumes].map(([name, disk]) => [name, readExt4(disk, "made")]),
      ...[...this.#devices].map(([name, { path }]) => {
        const text = readFileSync(path).toString("latin1", MADE_AT * SECTOR);
        return [name, text.slice(0, text.indexOf("\n") + 1)];
      }),
      ...["bind", "virtio-fs"].map((name) => [
        name,
        readFileSync(this.shared(`${name}/made`), "utf8"),
      ]),
      ["root", readExt4({ path: this.#upper }, "upper/made")],
    ]);
  }

  /** Everything but memory, and what the guest has started with; resolves when the guest has let go of it. */
  async unplug(): Promise<void> {
    await this.#plugged.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files.disposeAsync();
  }

  #volume(name: string, bytes?: number): DiskFile {
    const disk = this.#files.use(makeExt4Disk({ marker: name }, bytes));
    this.#volumes.set(name, disk);
    return disk;
  }

  #device(name: string, bytes?: number): DiskFile {
    const disk = this.#files.use(makeDisk(`${name}\n`, bytes));
    this.#devices.set(name, disk);
    return disk;
  }

  async #onBridge(vm: TestVm, slot: string, disk: Pick<DiskFile, "path">): Promise<void> {
    const place = { bus: BRIDGE.bus, addr: slot };
    this.#plugged.use(await plugDisk(vm, kept(disk), "virtio-blk-pci", place));
  }

  #fillShare(): void {
    for (const name of ["bind", "virtio-fs", "watched", "watchable"]) {
      mkdirSync(this.shared(name));
      if (name !== "watchable") writeFileSync(this.shared(`${name}/marker`), `${name}\n`);
    }
    makeRootfs(this.shared("root"));
    writeFileSync(this.shared("root/etc/layer"), "share\n");
  }
}

/** Still there when it is no longer plugged in. */
function kept({ path }: Pick<DiskFile, "path">): DiskFile {
  return { path, [Symbol.dispose]: () => {} };
}

/** A disk that begins with it. */
function line(text: string): Uint8Array {
  const bytes = new Uint8Array(SMALL);
  bytes.set(Buffer.from(`${text}\n`));
  return bytes;
}
