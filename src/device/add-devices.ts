// The devices of a CreateContainer request: storage-devices-network.md section 4.1.
import { internal, invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import type { DeviceRequest } from "./driver.ts";
import { VFIO_TYPES, driverOf } from "./drivers.ts";
import type { Hotplug } from "./hotplug.ts";
import { withInfiniband } from "./infiniband.ts";
import type { PciAddress } from "./pci-address.ts";
import { type PciAddresses, withGuestAddresses } from "./pci-environment.ts";
import { type DeviceUpdate, withGuestDevices } from "./spec-devices.ts";

/** Of one container. A machine has not so many slots. */
const MOST_DEVICES = 1024;
/** Of all of them: functions and queues, of which a device has some. */
const MOST_OPTIONS = 2048;

export type Equipped = {
  readonly spec: ContainerSpec;
  /** For the environment of processes that are yet to come. */
  readonly addresses: PciAddresses;
};

/**
 * The spec in terms of the guest, once each device is there, one after another. Nothing is kept of a
 * request that fails. Throws an AgentError, a KernelError, or what `signal` says.
 */
export async function addDevices(
  requests: readonly DeviceRequest[],
  spec: ContainerSpec,
  hotplug: Hotplug,
  signal: AbortSignal,
): Promise<Equipped> {
  const known = understood(requests, hotplug);
  const updates: DeviceUpdate[] = [];
  const addresses = new Map<PciAddress, PciAddress>();
  for (const { containerPath, find } of known) {
    const { node, path, functions = [] } = await find(hotplug, signal);
    if (node !== undefined) updates.push({ containerPath, node, path });
    for (const [host, guest] of functions) {
      // Hosts name a network card's function for the container, and once more for the network.
      if ((addresses.get(host) ?? guest) !== guest)
        throw invalidArgument(`the PCI address ${host} is given twice`);
      addresses.set(host, guest);
    }
  }
  const hasVfio = requests.some(({ type }) => VFIO_TYPES.has(type));
  const linux = withGuestDevices(spec.linux, updates);
  return { spec: await equip({ ...spec, linux }, addresses, hasVfio, hotplug), addresses };
}

async function equip(
  spec: ContainerSpec,
  addresses: PciAddresses,
  hasVfio: boolean,
  hotplug: Hotplug,
): Promise<ContainerSpec> {
  const { process, linux } = spec;
  return {
    ...spec,
    process: { ...process, env: withGuestAddresses(process.env ?? [], addresses) },
    linux: hasVfio ? await withInfiniband(linux, hotplug) : linux,
  };
}

/** Before any of them is waited for. */
function understood(requests: readonly DeviceRequest[], hotplug: Hotplug) {
  if (requests.length > MOST_DEVICES) {
    throw invalidArgument(`${requests.length} devices are asked for, ${MOST_DEVICES} are the most`);
  }
  const options = requests.reduce((sum, each) => sum + each.options.length, 0);
  if (options > MOST_OPTIONS) {
    throw invalidArgument(`${options} options of devices, ${MOST_OPTIONS} are the most`);
  }
  return requests.map((request) => {
    checkNames(request);
    const { type, containerPath } = request;
    return { containerPath, find: driverOf(type, hotplug)(request) };
  });
}

function checkNames(request: DeviceRequest): void {
  const { id, type, vmPath, containerPath, options } = request;
  const what = `device ${quote(id || vmPath)}`;
  if (type === "") throw internal(`invalid type for ${what}: it is empty`);
  if (id === "" && vmPath === "") throw internal(`invalid ID and VM path for ${what}`);
  if (containerPath === "") throw internal(`invalid container path for ${what}: it is empty`);
  if ([id, type, vmPath, containerPath, ...options].some((text) => text.includes("\0"))) {
    throw invalidArgument(`${what} contains NUL`);
  }
}
