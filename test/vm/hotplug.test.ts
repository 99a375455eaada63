// What QEMU plugs into a guest that runs, as its kernel sees it.
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import type { TestVm } from "../support/vm.ts";
import { makeDisk } from "../support/vm-disk.ts";
import { BRIDGE, ROOT_PORTS, SCSI_BUS } from "../support/vm-hotplug.ts";
import { describeWithVm } from "../support/with-vm.ts";

const APPEARS_IN_MS = 10_000;

const options = { hotplug: true, modules: ["virtio_blk", "virtio_scsi", "sd_mod", "virtio_net"] };

describeWithVm("A guest into which devices are plugged", options, (vm) => {
  test("has a disk on the bridge, for as long as it is there", async () => {
    const { qmp } = vm().machine;
    using disk = makeDisk();
    await qmp.blockdevAdd("disk", disk.path);
    await qmp.deviceAdd("virtio-blk-pci", "blk", { drive: "disk", bus: BRIDGE.bus, addr: "01" });
    const found = `/sys/devices/pci0000:00/0000:00:${BRIDGE.path}.0/*/virtio*/block/vda`;
    await shows(vm(), found);
    await qmp.deviceDel("blk");
    await shows(vm(), found, false);
    await qmp.execute("blockdev-del", { "node-name": "disk" });
  });

  test("has a network interface behind a root port", async () => {
    const { qmp } = vm().machine;
    const [{ bus, path }] = ROOT_PORTS;
    await qmp.execute("netdev_add", { type: "hubport", id: "hub", hubid: 1 });
    const mac = "02:00:00:00:00:01";
    await qmp.deviceAdd("virtio-net-pci", "net", { netdev: "hub", bus, mac });
    await shows(vm(), `/sys/devices/pci0000:00/0000:00:${path.slice(0, 2)}.0/*/virtio*/net/eth0`);
    await qmp.deviceDel("net");
  });

  test("has a disk on the SCSI bus", async () => {
    const { qmp } = vm().machine;
    using disk = makeDisk();
    await qmp.blockdevAdd("lun", disk.path);
    const place = { bus: SCSI_BUS, channel: 0, "scsi-id": 0, lun: 1 };
    await qmp.deviceAdd("scsi-hd", "sd", { drive: "lun", ...place });
    await shows(vm(), "/sys/class/scsi_device/0:0:0:1/device/block/sda");
    await qmp.deviceDel("sd");
  });

  test("is told why there is no such device", async () => {
    const adding = vm().machine.qmp.deviceAdd("no-such-driver", "none");
    expect(adding).rejects.toThrow('device_add {"driver":"no-such-driver","id":"none"}');
  });
});

/** Anything of this pattern is there, or has gone. */
async function shows(vm: TestVm, pattern: string, isThere = true): Promise<void> {
  const look = `set -- ${pattern}; test ${isThere ? "" : "!"} -e $1 && echo so || true`;
  const isSo = async () => (await vm.sh(look)) === "so\n";
  expect(await until(isSo, APPEARS_IN_MS)).toBe(true);
}
