// PCI functions of the host that are passed through: for a program in the container, which gets the group
// of the IOMMU, or for the guest's own drivers. storage-devices-network.md section 4.3.
import { internal, invalidArgument } from "../error.ts";
import { writeTextAsync } from "../kernel/file-async.ts";
import { linkTarget } from "../kernel/listing.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { DeviceDriver, DeviceRequest, FoundDevice } from "./driver.ts";
import { type Hotplug, knownDevice } from "./hotplug.ts";
import { deviceAt } from "./node.ts";
import { type PciAddress, type PciPlace, parsePciAddress, parsePciPlace } from "./pci-address.ts";
import { pciFunctionAt } from "./pci-sysfs.ts";

const VFIO = "vfio-pci";

/** The driver `vfio-pci` gets hold of the functions. */
export const vfioDriver: DeviceDriver = (request) => {
  const asked = parseOptions(request);
  return async (hotplug, signal) => {
    const functions = await findFunctions(asked, hotplug, signal);
    const group = () => groupOf([...functions.values()], hotplug, signal);
    return { ...(await hotplug.drivers.run(group)), functions };
  };
};

/** The node of the group that they all are in, once they are bound. */
async function groupOf(
  addresses: readonly PciAddress[],
  hotplug: Hotplug,
  signal: AbortSignal,
): Promise<Pick<FoundDevice, "node" | "path">> {
  signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  let group: string | undefined;
  for (const address of addresses) {
    const own = await bindToVfio(hotplug, address, undo);
    group ??= own;
    if (own !== group) throw internal(`${address} is not in guest IOMMU group ${group}`);
  }
  if (group === undefined) throw internal("failed to get VFIO group");
  const path = await findGroup(hotplug, group, signal);
  const node = deviceAt(path);
  undo.move();
  return { node, path };
}

/** The guest's kernel gets hold of them, as of any other. */
export const guestKernelDriver: DeviceDriver = (request) => {
  const asked = parseOptions(request);
  return async (hotplug, signal) => ({ functions: await findFunctions(asked, hotplug, signal) });
};

type Asked = { readonly host: PciAddress; readonly place: PciPlace };

/** `<address on the host>=<path in the guest>`; without a path it is not the guest's. */
function parseOptions({ options }: DeviceRequest): readonly Asked[] {
  return options.flatMap((option) => {
    const [host = "", path, ...rest] = option.split("=");
    if (path === undefined || rest.length > 0) {
      throw invalidArgument(`Malformed VFIO PCI option ${quote(option)}`);
    }
    return path === "" ? [] : { host: parsePciAddress(host), place: parsePciPlace(path) };
  });
}

/** By the address on the host, that in the guest. */
async function findFunctions(
  asked: readonly Asked[],
  hotplug: Hotplug,
  signal: AbortSignal,
): Promise<ReadonlyMap<PciAddress, PciAddress>> {
  const functions = new Map<PciAddress, PciAddress>();
  for (const { host, place } of asked) {
    if (functions.has(host)) throw invalidArgument(`the PCI address ${host} is given twice`);
    const { devpath, address } = await pciFunctionAt(hotplug, place);
    await hotplug.find(knownDevice(devpath, `of the PCI function at ${devpath}`), signal);
    functions.set(host, address);
  }
  return functions;
}

/**
 * The number of its IOMMU group. Off the event loop: a driver may take its time to let go. `undo` gives it
 * back to whichever driver wants it.
 */
async function bindToVfio(
  { sys }: Hotplug,
  address: PciAddress,
  undo: AsyncDisposableStack,
): Promise<string> {
  const device = `${sys}/bus/pci/devices/${address}`;
  const driver = await driverOf(device);
  if (driver !== VFIO) undo.defer(() => rebind(sys, address, "\n"));
  await rebind(sys, address, VFIO);
  const group = baseName(await linkTarget(`${device}/iommu_group`));
  if (group === undefined || !/^\d+$/.test(group)) {
    throw internal(`${address} has no IOMMU group`);
  }
  return group;
}

/** Have no other driver than `wanted`; a newline is for any. */
async function rebind(sys: string, address: PciAddress, wanted: string): Promise<void> {
  const device = `${sys}/bus/pci/devices/${address}`;
  await writeTextAsync(`${device}/driver_override`, wanted);
  const driver = await driverOf(device);
  if (driver === wanted) return;
  if (driver !== undefined) await writeTextAsync(`${device}/driver/unbind`, address);
  await writeTextAsync(`${sys}/bus/pci/drivers_probe`, address);
}

async function driverOf(device: string): Promise<string | undefined> {
  return baseName(await linkTarget(`${device}/driver`));
}

/** The path of its node. */
async function findGroup(hotplug: Hotplug, group: string, signal: AbortSignal): Promise<string> {
  const devpath = `/devices/virtual/vfio/${group}`;
  const wanted = knownDevice(devpath, `of the VFIO group at ${devpath}`);
  const { devname } = await hotplug.find(wanted, signal);
  if (devname === "") throw internal(`the VFIO group at ${devpath} has no node`);
  return `${hotplug.dev}/${devname}`;
}

function baseName(path: string | undefined): string | undefined {
  return path?.slice(path.lastIndexOf("/") + 1);
}
