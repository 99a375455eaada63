// What Kubernetes' device plugins tell a container of the PCI functions it gets: addresses of the host,
// which are others in the guest. storage-devices-network.md section 4.6.
import { type PciAddress, tryPciAddress } from "./pci-address.ts";

/** By the address on the host, that in the guest. */
export type PciAddresses = ReadonlyMap<PciAddress, PciAddress>;

const NAME = /^PCIDEVICE_[^=]*(?==)/;
const INFO = "_INFO";

/**
 * `PCIDEVICE_x=<addresses>` with the guest's addresses, and `PCIDEVICE_x_INFO` with them wherever the
 * host's stand. Where one of a variable's addresses is unknown, both stay as they are.
 */
export function withGuestAddresses(
  env: readonly string[],
  addresses: PciAddresses,
): readonly string[] {
  if (addresses.size === 0) return env;
  const translated = new Map<string, string>();
  for (const entry of env) {
    const name = NAME.exec(entry)?.[0];
    if (name === undefined || name.endsWith(INFO)) continue;
    const value = translate(entry.slice(name.length + 1), addresses);
    if (value !== undefined) translated.set(name, value);
  }
  return env.map((entry) => {
    const name = NAME.exec(entry)?.[0] ?? "";
    const value = translated.get(name);
    if (value !== undefined) return `${name}=${value}`;
    const isInfo = name.endsWith(INFO) && translated.has(name.slice(0, -INFO.length));
    return isInfo ? replaceAddresses(entry, addresses) : entry;
  });
}

/** undefined: an element is no address, or not one of these. */
function translate(list: string, addresses: PciAddresses): string | undefined {
  const guest = list.split(",").map((text) => addresses.get(tryPciAddress(text) ?? ""));
  return guest.includes(undefined) ? undefined : guest.join(",");
}

/** Each in one pass, so that an address of the guest is not taken for one of the host. */
function replaceAddresses(text: string, addresses: PciAddresses): string {
  const pattern = [...addresses.keys()].map((address) => address.replaceAll(".", "\\.")).join("|");
  return text.replaceAll(new RegExp(pattern, "g"), (host) => addresses.get(host) ?? host);
}
