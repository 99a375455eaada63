// Network interfaces by where they are plugged in: storage-devices-network.md sections 6.4 and 7.1.
import { parseCcwId } from "./ccw-id.ts";
import type { Hotplug } from "./hotplug.ts";
import { parsePciPlace } from "./pci-address.ts";
import { pciFunctionAt } from "./pci-sysfs.ts";

/**
 * The interface's name, once it is there. `address` is a PCI path, or a bus id of s390x where the guest
 * has channels. Throws an AgentError for what is no address and for what does not come in time, and what
 * `signal` says.
 */
export async function findInterface(
  hotplug: Hotplug,
  address: string,
  signal: AbortSignal,
): Promise<string> {
  const isBelow = hotplug.has("/devices/css0")
    ? belowChannel(parseCcwId(address))
    : belowFunction((await pciFunctionAt(hotplug, parsePciPlace(address))).devpath);
  const { interfaceName } = await hotplug.find(
    {
      name: `of the interface at ${address}`,
      place: { class: "net" },
      matches: (device) =>
        device.subsystem === "net" && device.interfaceName !== "" && isBelow(device.devpath),
    },
    signal,
  );
  return interfaceName;
}

function belowFunction(parent: string): (devpath: string) => boolean {
  return (devpath) => devpath.startsWith(`${parent}/`);
}

function belowChannel(id: string): (devpath: string) => boolean {
  const device = id.replaceAll(".", "\\.");
  const pattern = new RegExp(
    `^/devices/css0/0\\.[0-3]\\.[0-9a-f]{1,4}/${device}/virtio[0-9]+/net/[^/]+$`,
  );
  return (devpath) => pattern.test(devpath);
}
