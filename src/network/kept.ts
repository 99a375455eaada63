// The addresses and routes as they are, to be put back: the kernel takes many of them away from a link
// that goes down, and a request that fails half-way leaves what it has changed.
import type { Netlink } from "../kernel/netlink.ts";
import { KernelError } from "../linux/error.ts";
import { type AttributeMap, wordIn } from "../linux/netlink.ts";
import { IFA, NLM_F, RTA, RTM, RTNH_F, RTPROT, RT_TABLE } from "../linux/netlink-flags.ts";
import { decodeBody, encodeBody } from "../linux/rtnetlink.ts";
import { listAddressBodies } from "./address.ts";
import { listRouteBodies } from "./route.ts";

/** Bodies that make each of them again, by what they say. */
export type Kept = {
  readonly addresses: ReadonlyMap<string, Uint8Array>;
  readonly routes: ReadonlyMap<string, Uint8Array>;
};

/** Made by the kernel itself, as soon as there is reason to. */
const BY_KERNEL: ReadonlySet<number> = new Set([RTPROT.REDIRECT, RTPROT.KERNEL, RTPROT.RA]);

/** All that stands on the links with these indices. Throws a KernelError. */
export async function keep(netlink: Netlink, indices: ReadonlySet<number>): Promise<Kept> {
  const addresses = (await listAddressBodies(netlink)).flatMap((body) => {
    const { members, attributes } = decodeBody("ifaddrmsg", body);
    const isOurs = indices.has(members.ifa_index) && !attributes.has(IFA.PROTO);
    return isOurs ? [encodeBody("ifaddrmsg", members, without(attributes, [IFA.CACHEINFO]))] : [];
  });
  const isOn = (attributes: AttributeMap) => indices.has(wordIn(attributes.get(RTA.OIF)) ?? 0);
  return { addresses: byText(addresses), routes: await keepRoutes(netlink, isOn) };
}

/** Those of all tables but the kernel's own. */
export async function keepRoutes(
  netlink: Netlink,
  isWanted: (attributes: AttributeMap) => boolean = () => true,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const routes = (await listRouteBodies(netlink)).flatMap((body) => {
    const { members, attributes } = decodeBody("rtmsg", body);
    const isKernels = BY_KERNEL.has(members.rtm_protocol) || members.rtm_table === RT_TABLE.LOCAL;
    if (isKernels || !isWanted(attributes)) return [];
    // How the link is doing is not the route's to say.
    const asked = { ...members, rtm_flags: members.rtm_flags & RTNH_F.ONLINK };
    return [encodeBody("rtmsg", asked, without(attributes, [RTA.CACHEINFO]))];
  });
  return byText(routes);
}

/**
 * Make again what is no longer there. What the kernel does not take any more is left out: a route may
 * have stood on an address that is gone on purpose, and hosts send their routes after each interface.
 */
export async function putBack(netlink: Netlink, kept: Kept, indices: ReadonlySet<number>) {
  const now = await keep(netlink, indices);
  await make(netlink, "put an address back", RTM.NEWADDR, lacking(kept.addresses, now.addresses));
  await putRoutesBack(netlink, kept.routes, now.routes);
}

/** The same for routes; `now` are those that there are. */
export async function putRoutesBack(
  netlink: Netlink,
  kept: Kept["routes"],
  now: Kept["routes"],
): Promise<void> {
  const lost = lacking(kept, now);
  // A gateway must be reached by a route that is there already.
  const isDirect = (body: Uint8Array) => !decodeBody("rtmsg", body).attributes.has(RTA.GATEWAY);
  const ordered = [...lost.filter(isDirect), ...lost.filter((body) => !isDirect(body))];
  await make(netlink, "put a route back", RTM.NEWROUTE, ordered);
}

/** What `one` has and `other` has not. */
export function lacking(
  one: ReadonlyMap<string, Uint8Array>,
  other: ReadonlyMap<string, Uint8Array>,
): readonly Uint8Array[] {
  return [...one].flatMap(([key, body]) => (other.has(key) ? [] : [body]));
}

async function make(netlink: Netlink, label: string, type: number, bodies: readonly Uint8Array[]) {
  for (const body of bodies) {
    try {
      await netlink.change(label, { type, flags: NLM_F.CREATE | NLM_F.EXCL, body });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
  }
}

function without(attributes: AttributeMap, types: readonly number[]) {
  return [...attributes].filter(([type]) => !types.includes(type));
}

function byText(bodies: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> {
  return new Map(bodies.map((body) => [body.toHex(), body]));
}
