// Disks and functions that are plugged into a guest for one test, and pulled out at its end.
import { until } from "../../src/async/until.ts";
import type { Properties } from "./qmp.ts";
import type { TestVm } from "./vm.ts";
import { type DiskFile, makeDisk } from "./vm-disk.ts";
import { BRIDGE, SCSI_BUS } from "./vm-hotplug.ts";

const SETTLES_IN_MS = 20_000;

let serial = 0;

/** On the bridge, with the PCI path `10/<slot>`, or where `place` says. */
export function plugVirtioDisk(vm: TestVm, text: string, place: Properties | string) {
  const where = typeof place === "string" ? { bus: BRIDGE.bus, addr: place } : place;
  return plugDisk(vm, makeDisk(text), "virtio-blk-pci", where);
}

/** At the SCSI address `0:<lun>`. */
export function plugScsiDisk(vm: TestVm, text: string, lun: number) {
  const where = { bus: SCSI_BUS, channel: 0, "scsi-id": 0, lun };
  return plugDisk(vm, makeDisk(text), "scsi-hd", where);
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
