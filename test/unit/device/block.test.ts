// Disks by their addresses, with the paths that sysfs has for them on real machines.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_KINDS, type BlockKind, blockAt } from "../../../src/device/block.ts";
import { findInterface } from "../../../src/device/network.ts";
import { AgentError } from "../../../src/error.ts";
import { FakeDevices } from "../../support/fake-sysfs.ts";

const NEVER = new AbortController().signal;
const ROOT = "/devices/pci0000:00";
const SCSI = `${ROOT}/0000:00:04.0/virtio0`;
const PMEM = "/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0012:00/ndbus0/region0/namespace0.0/block/pmem0";
const CCW = "/devices/css0/0.0.0005/0.0.0010/virtio3/block/vdb";

/** Until somebody waits for a device. */
async function waiting({ hotplug }: FakeDevices): Promise<void> {
  while (hotplug.waiters === 0) await Bun.sleep(0);
}

/** What the kernel makes of a bridge whose bus nothing is on yet. */
function bridge(devices: FakeDevices, devpath: string, bus: string): void {
  devices.device(`${devpath}/pci_bus/${bus}`);
  devices.device(`${devpath}/${devpath.slice(devpath.lastIndexOf("/") + 1)}:pcie001`);
}

describe("the path of the disk", () => {
  test.each<[BlockKind, string, string]>([
    ["blk", "05", `${ROOT}/0000:00:05.0/virtio1/block/vda`],
    ["blk", "02/01", `${ROOT}/0000:00:02.0/0000:01:01.0/virtio2/block/vda`],
    ["blk", "07/00/01", `${ROOT}/0000:00:07.0/0000:03:00.0/0000:04:01.0/virtio2/block/vdc`],
    ["blk", "20/00/02", "/devices/pci0000:20/0000:20:00.0/0000:21:02.0/virtio2/block/vda"],
    ["scsi", "0:1", `${SCSI}/host0/target0:0:0/0:0:0:1/block/sda`],
    ["scsi", "1:255", `${SCSI}/host3/target3:0:1/3:0:1:255/block/sdzz`],
    ["mmioblk", "/dev/vda", "/devices/platform/LNRO0005:00/virtio0/block/vda"],
    ["mmioblk", "/dev/loop0", "/devices/virtual/block/loop0"],
    ["mmioblk", "/dev/nvme0n1", "/devices/virtual/block/nvme0n1"],
    ["nvdimm", "/dev/pmem0", PMEM],
    ["blk-ccw", "0.0.10", CCW],
  ])("of %s %s is found, there already or just come", async (kind, address, devpath) => {
    for (const isThere of [true, false]) {
      using devices = new FakeDevices();
      bridge(devices, `${ROOT}/0000:00:02.0`, "0000:01");
      bridge(devices, `${ROOT}/0000:00:07.0`, "0000:03");
      bridge(devices, `${ROOT}/0000:00:07.0/0000:03:00.0`, "0000:04");
      bridge(devices, "/devices/pci0000:20/0000:20:00.0", "0000:21");
      if (isThere) devices.disk(devpath);
      const found = blockAt(kind, address)(devices.hotplug, NEVER);
      if (!isThere) await waiting(devices);
      devices.tellOfDisk(devpath);
      expect(await found).toBe(join(devices.dev, devpath.slice(devpath.lastIndexOf("/") + 1)));
    }
  });

  test.each<[BlockKind, string, string]>([
    ["blk", "05", `${ROOT}/0000:00:05.0/virtio1/block/vda/vda1`],
    ["blk", "05", `${ROOT}/0000:00:05.1/virtio1/block/vda`],
    ["blk", "05", `${ROOT}/0000:00:05.0/virtio1/net/eth0`],
    ["scsi", "0:1", `${SCSI}/host0/target0:0:0/0:0:0:11/block/sda`],
    ["scsi", "0:1", `${SCSI}/host0/target0:0:0/0:0:0:1/block/sda/sda1`],
    ["scsi", "0:1", `${ROOT}/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:1/block/sda`],
    ["mmioblk", "/dev/vda", "/devices/platform/LNRO0005:00/virtio0/block/vdaa"],
    ["nvdimm", "/dev/pmem0", "/devices/virtual/block/pmem0"],
    ["blk-ccw", "0.0.10", CCW.replace("0.0.0010", "0.0.0011")],
    ["blk-ccw", "0.0.10", `${CCW}/vdb1`],
  ])("of %s %s is not that of %s", async (kind, address, devpath) => {
    using devices = new FakeDevices(10);
    devices.disk(devpath);
    const found = blockAt(kind, address)(devices.hotplug, NEVER);
    await waiting(devices);
    devices.tellOfDisk(devpath);
    await expect(found).rejects.toThrow("Timeout after 0.01s waiting for uevent of the");
  });

  test.each<[BlockKind, string]>([
    ["blk", "/dev/vda"],
    ["blk", "02/20"],
    ["blk-ccw", "02"],
    ["scsi", "0"],
    ["mmioblk", "vda"],
    ["mmioblk", "/dev/../etc/passwd"],
    ["mmioblk", "/dev/disk/by-id/x"],
    ["nvdimm", "/run/pmem0"],
    ["nvdimm", "/dev/pm\nem0"],
  ])("of %s %p is refused before anything is looked for", (kind, address) => {
    expect(() => blockAt(kind, address)).toThrow(AgentError);
  });

  test.each([...BLOCK_KINDS])("of %s is not that of nothing", (kind) => {
    expect(() => blockAt(kind, "")).toThrow(AgentError);
  });
});

test("a partition is found by its name where it is there", async () => {
  using devices = new FakeDevices();
  devices.disk("/devices/platform/LNRO0005:00/virtio0/block/vda/vda1");
  expect(await blockAt("mmioblk", "/dev/vda1")(devices.hotplug, NEVER)).toEndWith("/vda1");
});

describe("a bridge", () => {
  test("whose bus is not told has that of the devices behind it", async () => {
    using devices = new FakeDevices();
    const devpath = `${ROOT}/0000:00:02.0/0000:01:01.0/virtio2/block/vda`;
    devices.disk(devpath);
    expect(await blockAt("blk", "02/01")(devices.hotplug, NEVER)).toEndWith("/vda");
  });

  test.each([
    ["it has none", []],
    ["it has 0000:01, 0000:02", ["pci_bus/0000:01", "pci_bus/0000:02"]],
    ["it has 0000:01, 0001:01", ["0000:01:00.0", "0001:01:00.0"]],
  ])("that leads nowhere, as %s, is an error with its address", async (reason, entries) => {
    using devices = new FakeDevices();
    for (const entry of entries) devices.device(`${ROOT}/0000:00:02.0/${entry}`);
    await expect(blockAt("blk", "02/01")(devices.hotplug, NEVER)).rejects.toThrow(
      `failed to resolve next bus for PCI path element 0000:00:02.0: ${reason}`,
    );
  });

  test("of a device tree is found where that has its root", async () => {
    using devices = new FakeDevices();
    devices.disk("/devices/platform/4010000000.pcie/pci0000:00/0000:00:02.0/virtio1/block/vda");
    expect(await blockAt("blk", "02")(devices.hotplug, NEVER)).toEndWith("/vda");
  });
});

describe("a SCSI disk", () => {
  test("is scanned for on the hosts of virtio, and on no others", async () => {
    using devices = new FakeDevices();
    const file = (host: string) => devices.file(`${host}/scsi_host/${host.slice(-5)}/scan`);
    const hosts = [`${ROOT}/0000:00:1f.2/ata1/host0`, `${SCSI}/host1`, `${SCSI}5/host2`];
    const files = hosts.map(file);
    for (const host of hosts) {
      const name = host.slice(-5);
      devices.link(`class/scsi_host/${name}`, `${host}/scsi_host/${name}`);
    }
    devices.disk(`${SCSI}/host1/target1:0:0/1:0:0:7/block/sda`);
    const found = blockAt("scsi", "0:7")(devices.hotplug, NEVER);
    const scans = () => files.map((path) => readFileSync(path, "utf8"));
    while (scans()[2] === "") await Bun.sleep(0);
    expect(scans()).toEqual(["", "0 0 7", "0 0 7"]);
    expect(await found).toEndWith("/sda");
  });

  test("whose scan fails is not waited for", async () => {
    using devices = new FakeDevices();
    const host = `${SCSI}/host1/scsi_host/host1`;
    devices.device(`${host}/scan`);
    devices.link("class/scsi_host/host1", host);
    const found = blockAt("scsi", "0:7")(devices.hotplug, NEVER);
    await expect(found).rejects.toThrow(
      /^write 0 0 7 to .*\/class\/scsi_host\/host1\/scan: EISDIR/,
    );
    expect(devices.hotplug.waiters).toBe(0);
  });
});

describe("an interface", () => {
  const NET = `${ROOT}/0000:00:02.0/0000:01:02.0/virtio4/net/eth0`;

  test("is found by its PCI path, there already or just come", async () => {
    for (const isThere of [true, false]) {
      using devices = new FakeDevices();
      bridge(devices, `${ROOT}/0000:00:02.0`, "0000:01");
      devices.file("class/net/bonding_masters");
      if (isThere) devices.interface(NET);
      const found = findInterface(devices.hotplug, "02/02", NEVER);
      if (!isThere) await waiting(devices);
      devices.uevents.tell("add", `${NET}/queues/rx-0`, ["SUBSYSTEM=queues"]);
      devices.uevents.tell("add", NET, ["SUBSYSTEM=net", "INTERFACE=eth0"]);
      expect(await found).toBe("eth0");
    }
  });

  test("is found by its bus id, where the guest has channels", async () => {
    using devices = new FakeDevices();
    devices.interface("/devices/css0/0.0.0005/0.0.0010/virtio3/net/enc10");
    expect(await findInterface(devices.hotplug, "0.0.10", NEVER)).toBe("enc10");
  });

  test.each(["", "eth0", "02/20", "0.0.10"])("is not found by %p", async (address) => {
    using devices = new FakeDevices();
    await expect(findInterface(devices.hotplug, address, NEVER)).rejects.toThrow("is no PCI path");
  });
});
