// The routes of the guest as rtnetlink tells of them, and how one is asked for.
import type { Netlink } from "../kernel/netlink.ts";
import { AF } from "../linux/constants.ts";
import {
  type AttributeMap,
  type Attributes,
  MalformedNetlink,
  decodeAttributes,
  viewOf,
  word,
  wordIn,
} from "../linux/netlink.ts";
import { NLM_F, RTA, RTAX, RTM, RTN, RTNH_F, RTPROT, RT_TABLE } from "../linux/netlink-flags.ts";
import { decodeBody, encodeBody } from "../linux/rtnetlink.ts";
import { type Family, type IpAddress, type Network, addressFamily, ipFrom } from "./ip-address.ts";

/** Where packets go. */
export type Route = {
  readonly family: Family;
  /** undefined: to everywhere. */
  readonly destination: Network | undefined;
  readonly gateway: IpAddress | undefined;
  /** Of the link. */
  readonly index: number;
  /** Which address of ours packets come from, unless their program says. */
  readonly preferredSource: IpAddress | undefined;
  /** The route is for packets from there only. */
  readonly from: Network | undefined;
  /** RT_SCOPE_*; IPv6 knows none. */
  readonly scope: number;
  /** The gateway is taken to be on the link. */
  readonly isOnLink: boolean;
  /** 0: the link's. */
  readonly mtu: number;
};

/** Bodies of RTM_NEWROUTE, of all tables. Throws a KernelError. */
export async function listRouteBodies(netlink: Netlink): Promise<readonly Uint8Array[]> {
  const lists: Uint8Array[] = [];
  for (const [name, family] of [
    ["IPv4", AF.INET],
    ["IPv6", AF.INET6],
  ] as const) {
    const body = encodeBody("rtmsg", { rtm_family: family });
    const bodies = await netlink.list(`list routes of ${name}`, { type: RTM.GETROUTE, body });
    // A kernel without IPv6 answers with all that it has instead.
    for (const each of bodies) if (each[0] === family) lists.push(each);
  }
  return lists;
}

/**
 * A route of the main table, once for each way that it has. None for what stands in another table or leads
 * nowhere. Throws MalformedNetlink.
 */
export function decodeRoute(body: Uint8Array): readonly Route[] {
  const { members, attributes } = decodeBody("rtmsg", body);
  const table = wordIn(attributes.get(RTA.TABLE)) ?? members.rtm_table;
  if (table !== RT_TABLE.MAIN || members.rtm_type !== RTN.UNICAST) return [];
  const route = {
    family: members.rtm_family === AF.INET ? ("v4" as const) : ("v6" as const),
    destination: networkIn(attributes.get(RTA.DST), members.rtm_dst_len),
    preferredSource: ipFrom(attributes.get(RTA.PREFSRC)),
    from: networkIn(attributes.get(RTA.SRC), members.rtm_src_len),
    scope: members.rtm_scope,
    mtu: wordIn(decodeAttributes(attributes.get(RTA.METRICS) ?? NOTHING).get(RTAX.MTU)) ?? 0,
  };
  const several = attributes.get(RTA.MULTIPATH);
  const hops =
    several === undefined
      ? [{ index: wordIn(attributes.get(RTA.OIF)) ?? 0, flags: members.rtm_flags, attributes }]
      : nextHopsIn(several);
  return hops.map(({ index, flags, attributes: own }) => ({
    ...route,
    index,
    gateway: gatewayIn(own),
    isOnLink: (flags & RTNH_F.ONLINK) !== 0,
  }));
}

/** Made, or put in the place of the one to the same destination. Throws a KernelError. */
export async function addRoute(netlink: Netlink, label: string, route: Route): Promise<void> {
  const flags = NLM_F.CREATE | NLM_F.REPLACE;
  await netlink.change(label, { type: RTM.NEWROUTE, flags, body: encodeRoute(route) });
}

export function encodeRoute(route: Route): Uint8Array {
  const { destination, gateway, from, preferredSource, mtu } = route;
  const members = {
    rtm_family: addressFamily(route.family),
    rtm_dst_len: destination?.prefix ?? 0,
    rtm_src_len: from?.prefix ?? 0,
    rtm_table: RT_TABLE.MAIN,
    rtm_protocol: RTPROT.BOOT,
    rtm_scope: route.scope,
    rtm_type: RTN.UNICAST,
    rtm_flags: route.isOnLink ? RTNH_F.ONLINK : 0,
  };
  const given: readonly (readonly [number, Uint8Array | undefined])[] = [
    [RTA.DST, destination?.address.bytes],
    [RTA.SRC, from?.address.bytes],
    [RTA.PREFSRC, preferredSource?.bytes],
    gateway?.family === route.family ? [RTA.GATEWAY, gateway.bytes] : [RTA.VIA, viaOf(gateway)],
  ];
  const attributes: Attributes = given.flatMap(([type, value]) =>
    value === undefined ? [] : [[type, value] as const],
  );
  const metrics: Attributes = mtu === 0 ? [] : [[RTA.METRICS, [[RTAX.MTU, word(mtu)]]]];
  return encodeBody("rtmsg", members, [...attributes, [RTA.OIF, word(route.index)], ...metrics]);
}

const NOTHING = new Uint8Array(0);

/** undefined: everywhere. */
function networkIn(bytes: Uint8Array | undefined, prefix: number): Network | undefined {
  const address = ipFrom(bytes);
  return address === undefined ? undefined : { address, prefix };
}

/** struct rtvia: a gateway of the other family is a u16 family and its address. */
function viaOf(gateway: IpAddress | undefined): Uint8Array | undefined {
  return gateway && Uint8Array.from([addressFamily(gateway.family), 0, ...gateway.bytes]);
}

function gatewayIn(attributes: AttributeMap): IpAddress | undefined {
  return ipFrom(attributes.get(RTA.GATEWAY) ?? attributes.get(RTA.VIA)?.subarray(2));
}

/** Each is a struct rtnexthop and attributes; its first member is the length of both. */
function nextHopsIn(bytes: Uint8Array) {
  const hops: { index: number; flags: number; attributes: AttributeMap }[] = [];
  for (let at = 0; bytes.length - at >= 2;) {
    const length = viewOf(bytes).getUint16(at, true);
    if (length > bytes.length - at) throw new MalformedNetlink("length of a next hop");
    const { members, attributes } = decodeBody("rtnexthop", bytes.subarray(at, at + length));
    hops.push({ index: members.rtnh_ifindex, flags: members.rtnh_flags, attributes });
    at += (length + 3) & ~3;
  }
  return hops;
}
