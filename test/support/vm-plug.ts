// Disks and functions that are plugged into a guest for one test, and pulled out at its end.
import { until } from "../../src/async/until.ts";
import type { Properties } from "./qmp.ts";
import type { TestVm } from "./vm.ts";
import { type DiskFile, makeDisk } from "./vm-disk.ts";
import { BRIDGE, type RootPort, SCSI_BUS } from "./vm-hotplug.ts";

const SETTLES_IN_MS = 20_000;

let serial = 0;

/** On the bridge, with the PCI path `10/<slot>`, or where `place` says. */
export function plugVirtioDisk(vm: TestVm, text: string, place: Properties | string) {
  const where = typeof place === "string" ? { bus: BRIDGE.bus, addr: place } : place;
  return plugDisk(vm, makeDisk(text), "virtio-blk-pci", where);
}

/** At the SCSI address `0:<lun>`. */
export function plugScsiDisk(vm: TestVm, file: DiskFile, lun: number) {
  const where = { bus: SCSI_BUS, channel: 0, "scsi-id": 0, lun };
  return plugDisk(vm, file, "scsi-hd", where);
}

/** At its end the guest has let go of it, and QEMU as well. */
export async function plugDisk(
  vm: TestVm,
  file: DiskFile,
  driver: string,
  place: Properties,
): Promise<AsyncDisposable> {
  const { qmp } = vm.machine;
  const id = `plugged${++serial}`;
  await using undo = new AsyncDisposableStack();
  undo.use(file);
  await qmp.blockdevAdd(`${id}-file`, file.path);
  undo.defer(async () => void (await qmp.execute("blockdev-del", { "node-name": `${id}-file` })));
  await qmp.deviceAdd(driver, id, { drive: `${id}-file`, ...place });
  undo.defer(() => qmp.deviceDel(id));
  return undo.move();
}

/**
 * A disk that is memory, of `size` bytes; resolves when the guest has it as `node`. It stays: what has been
 * plugged in so cannot be pulled out again.
 */
export async function plugPmem(
  vm: TestVm,
  { path }: DiskFile,
  size: number,
  node = "/dev/pmem0",
): Promise<void> {
  const { qmp } = vm.machine;
  const id = `plugged${++serial}`;
  const file = { "mem-path": path, share: true, size };
  await qmp.objectAdd("memory-backend-file", `${id}-file`, file);
  await qmp.deviceAdd("nvdimm", id, { memdev: `${id}-file` });
  const isThere = async () => (await vm.sh(`test -b ${node} && echo yes || true`)) !== "";
  if (!(await until(isThere, SETTLES_IN_MS))) throw new Error(`${node} does not come`);
}

/** `network`: what is at its other end, as netdev_add takes it. */
export async function plugInterface(
  { machine: { qmp } }: TestVm,
  network: Properties,
  place: Properties,
): Promise<AsyncDisposable> {
  const id = `plugged${++serial}`;
  const netdev = `${id}-network`;
  await using undo = new AsyncDisposableStack();
  await qmp.execute("netdev_add", { id: netdev, ...network });
  undo.defer(async () => void (await qmp.execute("netdev_del", { id: netdev })));
  await qmp.deviceAdd("virtio-net-pci", id, { netdev, ...place });
  undo.defer(() => qmp.deviceDel(id));
  return undo.move();
}

/** What containers can be given as a whole: an interface that nothing comes out of, behind the IOMMU. */
export function plugFunction(vm: TestVm, { bus }: RootPort): Promise<AsyncDisposable> {
  const modern = { "disable-legacy": "on", iommu_platform: true };
  return plugInterface(vm, { type: "hubport", hubid: 1 }, { bus, ...modern });
}

/** Where the guest has what is behind the port. */
export async function addressBehind(vm: TestVm, { path }: RootPort): Promise<string> {
  const port = `/sys/bus/pci/devices/0000:00:${path.slice(0, 2)}.0`;
  return `${(await vm.sh(`ls ${port}/pci_bus`)).trim()}:00.0`;
}

/** Whether anybody in the guest listens to what the kernel tells of devices. */
export async function isListening(vm: TestVm): Promise<boolean> {
  // The protocol NETLINK_KOBJECT_UEVENT; port 0 is the kernel's own end of it.
  return (await vm.sh("awk '$2 == 15 && $3 != 0' /proc/net/netlink")) !== "";
}

/** Until a request waits for a device: only an event can end it then. */
export async function waiting(vm: TestVm): Promise<void> {
  if (await until(() => isListening(vm), SETTLES_IN_MS)) return;
  throw new Error("nobody waits for a device");
}
