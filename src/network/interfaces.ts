// UpdateInterface and ListInterfaces: storage-devices-network.md sections 7.1 and 7.4.
import { internal } from "../error.ts";
import { tryReadText } from "../kernel/file.ts";
import type { Netlink } from "../kernel/netlink.ts";
import { IFF } from "../linux/constants.ts";
import { addAddress, isSameAddress, listAddresses, removeAddress } from "./address.ts";
import { type Network, formatIp } from "./ip-address.ts";
import { keep, putBack } from "./kept.ts";
import { type Link, type LinkState, bringLink, isSame, listLinks } from "./link.ts";
import { formatMac } from "./mac-address.ts";
import { familyNumber, readAddress, readList, readMac, readName, readNumber } from "./request.ts";

/** IPAddress of types.proto. */
type AddressMessage = {
  readonly family: number;
  readonly address: string;
  readonly mask: string;
};

/** What is used of Interface of types.proto. */
export type InterfaceMessage = {
  readonly name: string;
  readonly hwAddr: string;
  /** Where it is plugged in, if it may still be to come. */
  readonly devicePath: string;
  readonly mtu: bigint;
  readonly rawFlags: number;
  readonly IPAddresses: readonly AddressMessage[];
};

export type WantedInterface = {
  readonly name: string;
  readonly mac: Uint8Array;
  /** The same as it was written. */
  readonly hwAddr: string;
  /** 0: as it is. */
  readonly mtu: number;
  readonly isNoArp: boolean;
  readonly addresses: readonly Network[];
};

const MOST_ADDRESSES = 256;
/** The kernel has it in an int. */
const LARGEST_MTU = 0x7fff_ffff;

/** Throws an AgentError for what no interface can be. */
export function readInterface(message: InterfaceMessage): WantedInterface {
  return {
    name: readName("interface: name", message.name),
    mac: readMac(message.hwAddr),
    hwAddr: message.hwAddr,
    mtu: readNumber("interface: mtu", message.mtu, LARGEST_MTU),
    isNoArp: (message.rawFlags & IFF.NOARP) !== 0,
    addresses: readList("interface: addresses", message.IPAddresses, MOST_ADDRESSES).map(
      ({ address, mask }) => readAddress("interface: address", address, mask),
    ),
  };
}

/**
 * Give the link with that hardware address, or the one called `device`, the name, the addresses and the rest, and have it up. Another
 * that has the name gets the former one. What it is already is not touched, and its other addresses stay.
 * If something fails, all is as it was. Hosts try again for as long as an error says "Link not found".
 * Throws a KernelError or an AgentError.
 */
export async function updateInterface(
  netlink: Netlink,
  wanted: WantedInterface,
  device = "",
): Promise<void> {
  const links = await listLinks(netlink);
  const link = chooseLink(links.filter(isOfPod), wanted, device);
  const other = links.find(({ name, index }) => name === wanted.name && index !== link.index);
  if (other !== undefined && !isOfPod(other)) throw internal(`${other.name} is the guest's own`);
  const indices = new Set([link.index, ...(other === undefined ? [] : [other.index])]);
  await using undo = new AsyncDisposableStack();
  const kept = await keep(netlink);
  undo.defer(() => putBack(netlink, kept, indices));
  let wasDown = false;
  const change = async (index: number, from: LinkState, to: LinkState) => {
    undo.defer(async () => void (await bringLink(netlink, index, from)));
    if (await bringLink(netlink, index, to)) wasDown = true;
  };
  const aside = other && { ...other, name: freeName(links), isUp: false };
  if (other && aside) await change(other.index, other, aside);
  await change(link.index, link, {
    name: wanted.name,
    mac: wanted.mac,
    mtu: wanted.mtu || link.mtu,
    isUp: true,
    isNoArp: wanted.isNoArp,
  });
  if (other && aside) await change(other.index, aside, { ...other, name: link.name, isUp: true });
  if (wasDown) await putBack(netlink, kept, indices);
  await addAddresses(netlink, link, wanted.addresses, undo);
  undo.move();
}

/**
 * A guest that was made from a template has links with the template's hardware addresses, and the names
 * that are wanted; a function of a card comes with one of the card's.
 */
function chooseLink(links: readonly Link[], wanted: WantedInterface, device: string): Link {
  const { mac, name, hwAddr } = wanted;
  const plugged = links.find((link) => link.name === device);
  if (plugged !== undefined) return plugged;
  if (device !== "") throw internal(`Link not found (Name: ${device})`);
  const named = links.find((link) => link.name === name);
  const withMac = links.filter((link) => isSame(link.mac, mac));
  const found = withMac.find((link) => link === named) ?? withMac[0] ?? named;
  if (found !== undefined) return found;
  throw internal(`Link not found (Address: ${hwAddr})`);
}

/** The guest talks to itself by the loopback, whose hardware address is all zeros. */
function isOfPod({ isLoopback }: Link): boolean {
  return !isLoopback;
}

async function addAddresses(
  netlink: Netlink,
  link: Link,
  wanted: readonly Network[],
  undo: AsyncDisposableStack,
): Promise<void> {
  const all = await listAddresses(netlink);
  const present: Network[] = all.filter(({ index }) => index === link.index);
  const hasV6 = isV6Usable();
  for (const network of wanted) {
    if (network.address.family === "v6" && !hasV6) continue;
    if (present.some((each) => isSameAddress(each, network))) continue;
    await addAddress(netlink, link, network);
    undo.defer(() => removeAddress(netlink, link, network));
    present.push(network);
  }
}

/** Hosts send addresses of IPv6 to guests that have none of it. */
function isV6Usable(): boolean {
  return ["all", "default"].some(
    (which) => tryReadText(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`)?.trim() === "0",
  );
}

/** Short, as no name may be longer than 15 bytes, and not one of `links`. */
function freeName(links: readonly Link[]): string {
  const taken = new Set(links.map(({ name }) => name));
  let number = 0;
  while (taken.has(`swap${number}`)) number += 1;
  return `swap${number}`;
}

/** All of them, lo among them. Throws a KernelError. */
export async function describeInterfaces(netlink: Netlink) {
  const links = await listLinks(netlink);
  const addresses = Map.groupBy(await listAddresses(netlink), ({ index }) => index);
  return links.map(({ index, name, mac, mtu }) => ({
    name,
    hwAddr: formatMac(mac),
    mtu: BigInt(mtu),
    IPAddresses: (addresses.get(index) ?? []).map(({ address, prefix }) => ({
      family: familyNumber(address.family),
      address: formatIp(address),
      mask: String(prefix),
    })),
  }));
}
