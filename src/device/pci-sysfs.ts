// Where sysfs has the device at a PCI path: storage-devices-network.md section 3.3.
import { internal } from "../error.ts";
import { namesIn } from "../kernel/listing.ts";
import type { Hotplug } from "./hotplug.ts";
import { type PciAddress, type PciPlace, tryPciAddress } from "./pci-address.ts";

/** Where arm64 without ACPI has its root complexes. */
const PLATFORM = "/devices/platform";

export type PciFunction = {
  /** Below the root of sysfs. The device itself need not be there yet, the bridges before it must. */
  readonly devpath: string;
  readonly address: PciAddress;
};

/** Throws an AgentError where a bridge on the way has no bus, or several. */
export async function pciFunctionAt(hotplug: Hotplug, place: PciPlace): Promise<PciFunction> {
  const { rootComplex, path } = place;
  let devpath = await rootBus(hotplug, rootComplex);
  let bus = `0000:${rootComplex}`;
  let address = "";
  for (const [index, slot] of path.entries()) {
    if (index > 0) bus = await busBehind(hotplug, devpath, address);
    address = `${bus}:${slot}`;
    devpath += `/${address}`;
  }
  return { devpath, address };
}

async function rootBus(hotplug: Hotplug, rootComplex: string): Promise<string> {
  const name = `pci0000:${rootComplex}`;
  if (hotplug.has(`/devices/${name}`)) return `/devices/${name}`;
  const platform = await namesIn(`${hotplug.sys}${PLATFORM}`);
  const complex = platform.find((each) => each.endsWith(".pcie"));
  return complex === undefined ? `/devices/${name}` : `${PLATFORM}/${complex}/${name}`;
}

/** `0000:01`, behind the bridge that is at `devpath`. */
async function busBehind(hotplug: Hotplug, devpath: string, bridge: string): Promise<string> {
  const directory = hotplug.sys + devpath;
  const buses = await namesIn(`${directory}/pci_bus`);
  const known = buses.length > 0 ? buses : await busesOfChildren(directory);
  const [bus, ...others] = known;
  if (bus !== undefined && others.length === 0) return bus;
  const found = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
  throw internal(`failed to resolve next bus for PCI path element ${bridge}: ${found}`);
}

async function busesOfChildren(directory: string): Promise<readonly string[]> {
  const addresses = (await namesIn(directory)).flatMap((name) => tryPciAddress(name) ?? []);
  return [...new Set(addresses.map((address) => address.slice(0, address.lastIndexOf(":"))))];
}
