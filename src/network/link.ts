// The interfaces of the guest, and the one way to change one: rtnetlink's RTM_SETLINK.
import { internal } from "../error.ts";
import type { Netlink } from "../kernel/netlink.ts";
import { IFF } from "../linux/constants.ts";
import { type Attributes, text, textIn, word, wordIn } from "../linux/netlink.ts";
import { IFLA, RTEXT_FILTER, RTM } from "../linux/netlink-flags.ts";
import { decodeBody, encodeBody } from "../linux/rtnetlink.ts";

/** What can be asked of a link. */
export type LinkState = {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly isUp: boolean;
  /** It has no address resolution: IFF_NOARP. */
  readonly isNoArp: boolean;
};

export type Link = LinkState & { readonly index: number; readonly isLoopback: boolean };

/** In the order of their indices. Throws a KernelError. */
export async function listLinks(netlink: Netlink): Promise<readonly Link[]> {
  const bodies = await netlink.list("list links", { type: RTM.GETLINK, body: linkQuery() });
  return bodies.map(decodeLink).toSorted((one, other) => one.index - other.index);
}

/** The body of RTM_NEWLINK. Throws MalformedNetlink. */
export function decodeLink(body: Uint8Array): Link {
  const { members, attributes } = decodeBody("ifinfomsg", body);
  return {
    index: members.ifi_index,
    name: textIn(attributes.get(IFLA.IFNAME)),
    mac: attributes.get(IFLA.ADDRESS) ?? new Uint8Array(0),
    mtu: wordIn(attributes.get(IFLA.MTU)) ?? 0,
    isUp: (members.ifi_flags & IFF.UP) !== 0,
    isNoArp: (members.ifi_flags & IFF.NOARP) !== 0,
    isLoopback: (members.ifi_flags & IFF.LOOPBACK) !== 0,
  };
}

/** The body of RTM_GETLINK for all links. */
export function linkQuery(): Uint8Array {
  return encodeBody("ifinfomsg", {}, [[IFLA.EXT_MASK, word(RTEXT_FILTER.SKIP_STATS)]]);
}

/** The body of RTM_SETLINK. */
export function encodeLink(now: Link, wanted: LinkState): Uint8Array {
  const members = {
    ifi_index: now.index,
    ifi_flags: (wanted.isUp ? IFF.UP : 0) | (wanted.isNoArp ? IFF.NOARP : 0),
    ifi_change: IFF.UP | IFF.NOARP,
  };
  const mtu: Attributes = now.mtu === wanted.mtu ? [] : [[IFLA.MTU, word(wanted.mtu)]];
  return encodeBody("ifinfomsg", members, [...identity(now, wanted), ...mtu]);
}

/**
 * Make the link what it is wanted to be; one that is so already is not touched. A link that is up is taken
 * down for a new name or hardware address, and with it go its routes and its addresses of IPv6: true then.
 * Throws a KernelError; some of it can have been done then.
 */
export async function bringLink(
  netlink: Netlink,
  index: number,
  wanted: LinkState,
): Promise<boolean> {
  const now = (await listLinks(netlink)).find((link) => link.index === index);
  if (now === undefined) throw internal(`Link not found (Index: ${index})`);
  const isNew = identity(now, wanted).length > 0;
  const isAlike = now.isUp === wanted.isUp && now.isNoArp === wanted.isNoArp;
  if (!isNew && isAlike && now.mtu === wanted.mtu) return false;
  const set = (label: string, state: LinkState) =>
    netlink.change(label, { type: RTM.SETLINK, body: encodeLink(now, state) });
  const mustRest = now.isUp && isNew;
  if (mustRest) await set(`take ${now.name} down`, { ...now, isUp: false });
  await set(`set ${now.name} to name ${wanted.name}, MTU ${wanted.mtu}`, wanted);
  return mustRest;
}

export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** What the kernel changes only while the link is down. */
function identity(now: Link, wanted: LinkState): Attributes {
  return [
    ...(now.name === wanted.name ? [] : [[IFLA.IFNAME, text(wanted.name)] as const]),
    ...(isSame(now.mac, wanted.mac) ? [] : [[IFLA.ADDRESS, wanted.mac] as const]),
  ];
}
