// What rtnetlink(7) says of links, addresses, routes and neighbours: a structure of fixed form, then
// attributes.
import { joined } from "./joined.ts";
import {
  type AttributeMap,
  type Attributes,
  MalformedNetlink,
  decodeAttributes,
  encodeAttributes,
  viewOf,
} from "./netlink.ts";

/** Members and their bytes, as linux/rtnetlink.h, linux/if_addr.h and linux/neighbour.h lay them out. */
export const LAYOUTS = {
  ifinfomsg: [
    ["ifi_family", 1],
    ["__ifi_pad", 1],
    ["ifi_type", 2],
    ["ifi_index", 4],
    ["ifi_flags", 4],
    ["ifi_change", 4],
  ],
  ifaddrmsg: [
    ["ifa_family", 1],
    ["ifa_prefixlen", 1],
    ["ifa_flags", 1],
    ["ifa_scope", 1],
    ["ifa_index", 4],
  ],
  rtmsg: [
    ["rtm_family", 1],
    ["rtm_dst_len", 1],
    ["rtm_src_len", 1],
    ["rtm_tos", 1],
    ["rtm_table", 1],
    ["rtm_protocol", 1],
    ["rtm_scope", 1],
    ["rtm_type", 1],
    ["rtm_flags", 4],
  ],
  ndmsg: [
    ["ndm_family", 1],
    ["ndm_pad1", 1],
    ["ndm_pad2", 2],
    ["ndm_ifindex", 4],
    ["ndm_state", 2],
    ["ndm_flags", 1],
    ["ndm_type", 1],
  ],
  rtnexthop: [
    ["rtnh_len", 2],
    ["rtnh_flags", 1],
    ["rtnh_hops", 1],
    ["rtnh_ifindex", 4],
  ],
} as const;

export type BodyName = keyof typeof LAYOUTS;
export type Members<Name extends BodyName> = {
  readonly [Member in (typeof LAYOUTS)[Name][number][0]]: number;
};

/** A member not named is 0. */
export function encodeBody<Name extends BodyName>(
  name: Name,
  members: Partial<Members<Name>>,
  attributes: Attributes = [],
): Uint8Array {
  const given = new Map(Object.entries<number | undefined>(members));
  const fixed = new Uint8Array(sizeOf(name));
  const view = new DataView(fixed.buffer);
  let at = 0;
  for (const [member, width] of LAYOUTS[name]) {
    const value = given.get(member) ?? 0;
    if (width === 1) view.setUint8(at, value);
    else if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return joined([fixed, encodeAttributes(attributes)]);
}

/** Throws MalformedNetlink. */
export function decodeBody<Name extends BodyName>(
  name: Name,
  body: Uint8Array,
): { readonly members: Members<Name>; readonly attributes: AttributeMap } {
  const size = sizeOf(name);
  if (body.length < size) throw new MalformedNetlink(`no whole ${name}`);
  const view = viewOf(body);
  let at = 0;
  const members = LAYOUTS[name].map(([member, width]) => {
    const start = at;
    at += width;
    if (width === 1) return [member, view.getUint8(start)];
    return [member, width === 2 ? view.getUint16(start, true) : view.getUint32(start, true)];
  });
  return {
    members: Object.fromEntries(members) as Members<Name>,
    attributes: decodeAttributes(body.subarray(size)),
  };
}

function sizeOf(name: BodyName): number {
  return LAYOUTS[name].reduce((sum, [, width]) => sum + width, 0);
}
