// The kinds of devices that a runtime plugs in for a container.
import { internal, invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { type BlockKind, blockAt } from "./block.ts";
import type { DeviceDriver, DeviceRequest } from "./driver.ts";
import type { Hotplug } from "./hotplug.ts";
import { deviceAt } from "./node.ts";
import { coldApDriver, hotApDriver } from "./vfio-ap.ts";
import { guestKernelDriver, vfioDriver } from "./vfio-pci.ts";

/** By the type of the request. */
const DRIVERS: ReadonlyMap<string, DeviceDriver> = new Map([
  ["blk", block("blk", ({ id }) => id)],
  ["blk-ccw", block("blk-ccw", ({ id }) => id)],
  ["scsi", block("scsi", ({ id }) => id)],
  ["mmioblk", block("mmioblk", pathOf)],
  ["nvdimm", block("nvdimm", pathOf)],
  ["vfio-pci", vfioDriver],
  ["vfio-pci-gk", guestKernelDriver],
  ["vfio-ap", hotApDriver],
  ["vfio-ap-cold", coldApDriver],
]);

/** Of these a container may also get what InfiniBand has in /dev. */
export const VFIO_TYPES: ReadonlySet<string> = new Set(
  [...DRIVERS.keys()].filter((type) => type.startsWith("vfio-")),
);

/** Throws an AgentError where the guest can have no such device. */
export function driverOf(type: string, hotplug: Hotplug): DeviceDriver {
  const driver = DRIVERS.get(type);
  // Only s390x has channels.
  const isAbsent = type === "blk-ccw" && !hotplug.has("/devices/css0");
  if (driver === undefined || isAbsent) {
    throw internal(`Failed to find the device handler ${quote(type)}`);
  }
  return driver;
}

function block(kind: BlockKind, addressOf: (request: DeviceRequest) => string): DeviceDriver {
  return (request) => {
    const find = blockAt(kind, addressOf(request));
    return async (hotplug, signal) => ({ node: deviceAt(await find(hotplug, signal)) });
  };
}

function pathOf({ type, vmPath }: DeviceRequest): string {
  if (vmPath !== "") return vmPath;
  throw invalidArgument(
    type === "mmioblk"
      ? "Invalid path for virtio mmio blk device"
      : `Invalid path for ${type} device`,
  );
}
