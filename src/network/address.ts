// The addresses of interfaces.
import type { Netlink } from "../kernel/netlink.ts";
import { type Attributes } from "../linux/netlink.ts";
import { IFA, IFA_F, NLM_F, RTM } from "../linux/netlink-flags.ts";
import { decodeBody, encodeBody } from "../linux/rtnetlink.ts";
import { type Network, addressFamily, broadcastOf, formatNetwork, ipFrom } from "./ip-address.ts";
import { type Link, isSame } from "./link.ts";

/** `index`: of its link. */
export type LinkAddress = Network & { readonly index: number };

/** Those of IPv4 and IPv6; others are passed over. Throws a KernelError. */
export async function listAddresses(netlink: Netlink): Promise<readonly LinkAddress[]> {
  return (await listAddressBodies(netlink)).flatMap((body) => decodeAddress(body) ?? []);
}

/** Bodies of RTM_NEWADDR, of whatever family. */
export function listAddressBodies(netlink: Netlink): Promise<readonly Uint8Array[]> {
  const body = encodeBody("ifaddrmsg", {});
  return netlink.list("list addresses", { type: RTM.GETADDR, body });
}

/** undefined: of another family. Throws MalformedNetlink. */
export function decodeAddress(body: Uint8Array): LinkAddress | undefined {
  const { members, attributes } = decodeBody("ifaddrmsg", body);
  // On a link to one peer, IFA_ADDRESS is the peer's.
  const address = ipFrom(attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS));
  if (address === undefined || addressFamily(address.family) !== members.ifa_family)
    return undefined;
  return { index: members.ifa_index, address, prefix: members.ifa_prefixlen };
}

export function isSameAddress(one: Network, other: Network): boolean {
  return one.prefix === other.prefix && isSame(one.address.bytes, other.address.bytes);
}

/** Throws a KernelError. */
export async function addAddress(netlink: Netlink, link: Link, network: Network): Promise<void> {
  await netlink.change(`add address ${formatNetwork(network)} to ${link.name}`, {
    type: RTM.NEWADDR,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: encodeAddress(link.index, network),
  });
}

/** Throws a KernelError. */
export async function removeAddress(netlink: Netlink, link: Link, network: Network): Promise<void> {
  await netlink.change(`remove address ${formatNetwork(network)} from ${link.name}`, {
    type: RTM.DELADDR,
    body: encodeAddress(link.index, network),
  });
}

/**
 * The pod's addresses were in use on the host, so nobody else has them: the guest does not look for one
 * who does, and routes can name them at once (the kernel takes no source that it is still looking into).
 */
export function encodeAddress(index: number, network: Network): Uint8Array {
  const { address, prefix } = network;
  const members = {
    ifa_family: addressFamily(address.family),
    ifa_prefixlen: prefix,
    ifa_flags: address.family === "v6" ? IFA_F.NODAD : 0,
    ifa_index: index,
  };
  const attributes: Attributes = [
    [IFA.LOCAL, address.bytes],
    [IFA.ADDRESS, address.bytes],
  ];
  const broadcast: Attributes =
    address.family === "v4" ? [[IFA.BROADCAST, broadcastOf(network)]] : [];
  return encodeBody("ifaddrmsg", members, [...attributes, ...broadcast]);
}
