// What becomes of the devices of a request, on a machine whose devices are files.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { addDevices } from "../../../src/device/add-devices.ts";
import type { DeviceRequest } from "../../../src/device/driver.ts";
import { specFromJson } from "../../../src/oci/from-json.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import { FakeDevices } from "../../support/fake-sysfs.ts";

const NEVER = new AbortController().signal;
const ROOT = "/devices/pci0000:00";
/** What every node of the fake /dev is. */
const NULL = { type: "c", major: 1, minor: 3 } as const;
const ALLOWED = { allow: true, ...NULL, access: "rwm" } as const;

/** The devices that the spec has at these paths. */
function specWith(paths: readonly string[], env: readonly string[] = []) {
  const devices = paths.map((path, minor) => ({ path, type: "c", major: 240, minor }));
  return validateSpec(
    specFromJson(
      JSON.stringify({
        ociVersion: "1.2.0",
        root: { path: "/rootfs" },
        process: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 }, env },
        linux: { devices },
      }),
    ),
  );
}

const request = (type: string, change: Partial<DeviceRequest> = {}): DeviceRequest => ({
  id: "id",
  type,
  vmPath: "",
  containerPath: "/dev/x",
  options: [],
  ...change,
});

/** Devices of the request, to a container that has /dev/x and /dev/y. */
function add(devices: FakeDevices, requests: readonly DeviceRequest[], env: string[] = []) {
  return addDevices(requests, specWith(["/dev/x", "/dev/y"], env), devices.hotplug, NEVER);
}

describe("a disk", () => {
  test.each([
    ["blk", { id: "02" }, `${ROOT}/0000:00:02.0/virtio0/block/vda`],
    ["scsi", { id: "0:1" }, `${ROOT}/0000:00:04.0/virtio0/host0/target0:0:0/0:0:0:1/block/sda`],
    ["mmioblk", { vmPath: "/dev/vdb" }, "/devices/platform/LNRO0005:00/virtio0/block/vdb"],
    ["nvdimm", { vmPath: "/dev/pmem0" }, "/devices/LNXSYSTM:00/ndbus0/block/pmem0"],
    ["blk-ccw", { id: "0.0.10" }, "/devices/css0/0.0.0005/0.0.0010/virtio3/block/vdb"],
  ])("of %s is the container's under the guest's number", async (type, change, devpath) => {
    using devices = new FakeDevices();
    devices.disk(devpath);
    const { spec } = await add(devices, [request(type, change)]);
    expect(spec.linux.devices?.[0]).toEqual({ path: "/dev/x", ...NULL });
    expect(spec.linux.resources?.devices).toEqual([ALLOWED]);
  });

  test("whose node goes away again is an error with its path", async () => {
    using devices = new FakeDevices();
    devices.device(`${ROOT}/0000:00:02.0/virtio0/block/vda`);
    const adding = add(devices, [request("blk", { id: "02" })]);
    const tell = async () => {
      while (devices.hotplug.waiters === 0) await Bun.sleep(0);
      devices.tellOfDisk(`${ROOT}/0000:00:02.0/virtio0/block/vda`);
    };
    void tell();
    await expect(adding).rejects.toThrow(/^VM device path ".*\/dev\/vda" doesn't exist$/);
  });
});

/** A function of a hot-plugged device, driven by `driver`, with its IOMMU group. */
function pciFunction(devices: FakeDevices, slot: string, group?: string, driver = "virtio-pci") {
  const address = `0000:00:${slot}.0`;
  devices.device(`${ROOT}/${address}`);
  devices.link(`bus/pci/devices/${address}`, `${ROOT}/${address}`);
  devices.file(`${ROOT}/${address}/driver_override`);
  devices.file(`bus/pci/drivers/${driver}/unbind`);
  devices.link(`${ROOT}/${address}/driver`, `bus/pci/drivers/${driver}`);
  if (group === undefined) return;
  devices.device(`kernel/iommu_groups/${group}`);
  devices.link(`${ROOT}/${address}/iommu_group`, `kernel/iommu_groups/${group}`);
  if (existsSync(join(devices.sys, `devices/virtual/vfio/${group}`))) return;
  devices.file("bus/pci/drivers_probe");
  devices.file(`devices/virtual/vfio/${group}/uevent`, `MAJOR=1\nMINOR=3\nDEVNAME=vfio/${group}\n`);
  devices.node(`vfio/${group}`);
}

const read = (devices: FakeDevices, path: string) => readFileSync(join(devices.sys, path), "utf8");

describe("a PCI device that is passed through", () => {
  const options = ["0000:3b:00.0=05", "0000:3b:00.1=06"];

  test("is taken from its driver, and the container gets its group", async () => {
    using devices = new FakeDevices();
    pciFunction(devices, "05", "8");
    pciFunction(devices, "06", "8", "vfio-pci");
    const env = ["PCIDEVICE_A=0000:3b:00.0", "PCIDEVICE_B=0000:3b:00.1"];
    const { spec, addresses } = await add(devices, [request("vfio-pci", { options })], env);
    for (const address of ["0000:00:05.0", "0000:00:06.0"]) {
      expect(read(devices, `${ROOT}/${address}/driver_override`)).toBe("vfio-pci");
    }
    expect(read(devices, "bus/pci/drivers/virtio-pci/unbind")).toBe("0000:00:05.0");
    expect(read(devices, "bus/pci/drivers/vfio-pci/unbind")).toBe("");
    expect(read(devices, "bus/pci/drivers_probe")).toBe("0000:00:05.0");
    expect(spec.linux.devices?.[0]).toEqual({ path: join(devices.dev, "vfio/8"), ...NULL });
    expect(spec.process.env).toEqual(["PCIDEVICE_A=0000:00:05.0", "PCIDEVICE_B=0000:00:06.0"]);
    expect(addresses.size).toBe(2);
  });

  test("for the guest's kernel is left to its driver, and only the environment knows (D6)", async () => {
    using devices = new FakeDevices();
    for (const slot of ["05", "06"]) pciFunction(devices, slot);
    const env = ["PCIDEVICE_A=0000:3b:00.0,0000:3b:00.1"];
    const requests = options.map((option, index) =>
      request("vfio-pci-gk", {
        options: [option, "0000:99:00.0="],
        containerPath: `/dev/${index}`,
      }),
    );
    const { spec } = await add(devices, requests, env);
    expect(spec.process.env).toEqual(["PCIDEVICE_A=0000:00:05.0,0000:00:06.0"]);
    expect(read(devices, `${ROOT}/0000:00:05.0/driver_override`)).toBe("");
    expect(spec.linux.devices).toHaveLength(2);
  });

  test.each<[string, readonly string[]]>([
    ["Malformed VFIO PCI option", ["0000:3b:00.0"]],
    ["Malformed VFIO PCI option", ["0000:3b:00.0=05=06"]],
    ['"3b" is no PCI address', ["3b=05"]],
    ['"zz" is no PCI path', ["0000:3b:00.0=zz"]],
    ["0000:3b:00.0 is given twice", ["0000:3b:00.0=05", "0:3b:0.0=06"]],
    ["failed to get VFIO group", []],
    ["failed to get VFIO group", ["0000:3b:00.0="]],
    ["0000:00:07.0 has no IOMMU group", ["0000:3b:00.0=07"]],
    ["0000:00:09.0 is not in guest IOMMU group 8", ["0000:3b:00.0=05", "0000:3b:00.1=09"]],
  ])("is refused: %s %p", async (message, wrong) => {
    using devices = new FakeDevices();
    pciFunction(devices, "05", "8");
    pciFunction(devices, "06", "8");
    pciFunction(devices, "07");
    pciFunction(devices, "09", "9");
    await expect(add(devices, [request("vfio-pci", { options: wrong })])).rejects.toThrow(message);
  });

  test("is given back where another one of the device cannot be had", async () => {
    using devices = new FakeDevices();
    pciFunction(devices, "05", "8");
    pciFunction(devices, "06", "8", "vfio-pci");
    pciFunction(devices, "07");
    const both = ["0000:3b:00.0=05", "0000:3b:00.1=06", "0000:3b:00.2=07"];
    const adding = add(devices, [request("vfio-pci", { options: both })]);
    await expect(adding).rejects.toThrow("0000:00:07.0 has no IOMMU group");
    const overrides = ["05", "06", "07"].map((slot) =>
      read(devices, `${ROOT}/0000:00:${slot}.0/driver_override`),
    );
    // A file of sysfs takes each write for itself; here the first bytes are those of the last.
    expect(overrides).toEqual(["\nfio-pci", "vfio-pci", "\nfio-pci"]);
  });

  test("shares its host's address with no other", async () => {
    using devices = new FakeDevices();
    for (const slot of ["05", "06"]) pciFunction(devices, slot);
    const requests = ["05", "06"].map((path) =>
      request("vfio-pci-gk", { options: [`0000:3b:00.0=${path}`] }),
    );
    await expect(add(devices, requests)).rejects.toThrow("0000:3b:00.0 is given twice");
  });

  test("may be named twice, where a container's function is that of its network", async () => {
    using devices = new FakeDevices();
    pciFunction(devices, "05", "8");
    const asked = [
      request("vfio-pci", { options: ["0000:3b:00.0=05"] }),
      request("vfio-pci-gk", { options: ["0000:3b:00.0=05"], containerPath: "/dev/vfio/17" }),
    ];
    const { spec, addresses } = await add(devices, asked, ["PCIDEVICE_A=0000:3b:00.0"]);
    expect(addresses).toEqual(new Map([["0000:3b:00.0", "0000:00:05.0"]]));
    expect(spec.process.env).toEqual(["PCIDEVICE_A=0000:00:05.0"]);
  });

  test("brings what the guest has of InfiniBand", async () => {
    using devices = new FakeDevices();
    pciFunction(devices, "05");
    devices.node("infiniband/uverbs0");
    devices.node("infiniband/rdma_cm");
    const asked = request("vfio-pci-gk", { options: ["0000:3b:00.0=05"] });
    const spec = specWith(["/dev/infiniband/rdma_cm"]);
    const { linux } = (await addDevices([asked], spec, devices.hotplug, NEVER)).spec;
    // The nodes are links to the machine's own.
    const fileMode = statSync("/dev/null").mode & 0o7777;
    expect(linux.devices).toEqual([
      { path: "/dev/infiniband/rdma_cm", type: "c", major: 240, minor: 0 },
      { path: "/dev/infiniband/uverbs0", ...NULL, fileMode, uid: 0, gid: 0 },
    ]);
    expect(linux.resources?.devices).toEqual([ALLOWED, ALLOWED]);
  });
});

describe("a crypto adapter", () => {
  const QUEUES = ["0a.0001", "0a.0002"];

  function adapter(devices: FakeDevices): void {
    devices.file("bus/ap/scans");
    devices.node("z90crypt");
  }

  test("has queues that are scanned for and waited for", async () => {
    using devices = new FakeDevices();
    adapter(devices);
    devices.device("/devices/ap/card0a/0a.0001");
    const adding = add(devices, [request("vfio-ap", { options: ["a.1", "0a.2"] })]);
    while (devices.uevents.opened < 2) await Bun.sleep(0);
    devices.uevents.tell("add", "/devices/ap/card0a/0a.0002", ["SUBSYSTEM=ap"]);
    const { spec } = await adding;
    expect(read(devices, "bus/ap/scans")).toBe("1");
    expect(spec.linux.devices?.[0]).toEqual({ path: "/dev/z90crypt", ...NULL });
    expect(spec.linux.resources?.devices).toEqual([ALLOWED]);
  });

  test("of a guest that was started with it is there, or is an error", async () => {
    using devices = new FakeDevices();
    adapter(devices);
    for (const queue of QUEUES) devices.device(`/devices/ap/card0a/${queue}`);
    const { spec } = await add(devices, [request("vfio-ap-cold", { options: QUEUES })]);
    expect(spec.linux.devices?.[0]?.path).toBe("/dev/z90crypt");
    const absent = add(devices, [request("vfio-ap-cold", { options: ["b.1"] })]);
    await expect(absent).rejects.toThrow("the guest has no AP queue 0b.0001");
    devices.file("firmware/uv/prot_virt_guest", "1\n");
    const secure = add(devices, [request("vfio-ap-cold", { options: QUEUES })]);
    await expect(secure).rejects.toThrow("AP queues of a guest under Secure Execution");
  });

  test.each(["vfio-ap", "vfio-ap-cold"])("%s is refused on other machines", async (type) => {
    using devices = new FakeDevices();
    const adding = add(devices, [request(type, { options: QUEUES })]);
    await expect(adding).rejects.toThrow("VFIO-AP is only supported on s390x");
  });

  test.each([[], ["0a"], ["0a.10000"]])("without queues is refused: %p", async (...options) => {
    using devices = new FakeDevices();
    await expect(add(devices, [request("vfio-ap", { options })])).rejects.toThrow(/queue/);
  });
});

describe("a device is refused by name, before any is waited for:", () => {
  test.each<[string, DeviceRequest]>([
    ['Failed to find the device handler "floppy"', request("floppy")],
    ['Failed to find the device handler "blk-ccw"', request("blk-ccw", { id: "0.0.10" })],
    ['Failed to find the device handler "__proto__"', request("__proto__")],
    ['invalid type for device "id": it is empty', request("")],
    ['invalid ID and VM path for device ""', request("blk", { id: "" })],
    ['invalid container path for device "id": it is empty', request("blk", { containerPath: "" })],
    ['device "02" contains NUL', request("blk", { id: "02", containerPath: "/dev/x\0" })],
    ["Invalid path for virtio mmio blk device", request("mmioblk")],
    ["Invalid path for nvdimm device", request("nvdimm")],
    ['"zz" is no PCI path', request("blk", { id: "zz" })],
    ["Unexpected format for SCSI Address", request("scsi")],
  ])("%s", async (message, wrong) => {
    using devices = new FakeDevices();
    await expect(add(devices, [request("blk", { id: "02" }), wrong])).rejects.toThrow(message);
    expect(devices.uevents.opened).toBe(0);
  });

  test("more than a machine can have", async () => {
    using devices = new FakeDevices();
    const many = Array.from({ length: 1025 }, () => request("blk", { id: "02" }));
    await expect(add(devices, many)).rejects.toThrow(
      "1025 devices are asked for, 1024 are the most",
    );
  });

  test("more of their functions than are looked at in one go", async () => {
    using devices = new FakeDevices();
    const many = request("vfio-pci", { options: Array<string>(2049).fill("=") });
    await expect(add(devices, [many])).rejects.toThrow(
      "2049 options of devices, 2048 are the most",
    );
  });

  test("one that the spec does not have", async () => {
    using devices = new FakeDevices();
    devices.disk(`${ROOT}/0000:00:02.0/virtio0/block/vda`);
    const adding = add(devices, [request("blk", { id: "02", containerPath: "/dev/z" })]);
    await expect(adding).rejects.toThrow('Missing devices in OCI spec: "/dev/z"');
  });
});
