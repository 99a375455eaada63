// The addresses, routes and neighbours as they are, to be put back: the kernel takes many of them away from
// a link that goes down, and a request that fails half-way leaves what it has changed. There may be
// thousands, so other work goes on in between.
import { paced } from "../async/paced.ts";
import type { Netlink } from "../kernel/netlink.ts";
import { KernelError } from "../linux/error.ts";
import { type AttributeMap, wordIn } from "../linux/netlink.ts";
import {
  IFA,
  NLM_F,
  NTF,
  NUD,
  RTA,
  RTM,
  RTNH_F,
  RTPROT,
  RT_TABLE,
} from "../linux/netlink-flags.ts";
import { decodeBody, encodeBody } from "../linux/rtnetlink.ts";
import { listAddressBodies } from "./address.ts";
import { neighborsByKey } from "./neighbors.ts";
import { listRouteBodies } from "./route.ts";

/** As the kernel tells of them. */
export type Kept = {
  readonly addresses: readonly Uint8Array[];
  readonly routes: readonly Uint8Array[];
  readonly neighbors: readonly Uint8Array[];
};

/** Made by the kernel itself, as soon as there is reason to. */
const BY_KERNEL: ReadonlySet<number> = new Set([RTPROT.REDIRECT, RTPROT.KERNEL, RTPROT.RA]);

/** Throws a KernelError. */
export async function keep(netlink: Netlink): Promise<Kept> {
  return {
    addresses: await listAddressBodies(netlink),
    routes: await listRouteBodies(netlink),
    neighbors: await listNeighborBodies(netlink),
  };
}

/**
 * Make again what is no longer on the links with these indices. What the kernel does not take any more is
 * left out: a route may have stood on an address that is gone on purpose, and hosts send their routes
 * after each interface.
 */
export async function putBack(
  netlink: Netlink,
  before: Kept,
  indices: ReadonlySet<number>,
): Promise<void> {
  const address = (body: Uint8Array) => askedAddress(body, indices);
  const route = (body: Uint8Array) => askedRoute(body, indices);
  const addresses = await lacking(before.addresses, await listAddressBodies(netlink), address);
  await make(netlink, "put an address back", RTM.NEWADDR, addresses);
  // An address brings routes with it.
  await makeRoutes(netlink, await lacking(before.routes, await listRouteBodies(netlink), route));
  const neighbor = (body: Uint8Array) => askedNeighbor(body, indices);
  const neighbors = await lacking(before.neighbors, await listNeighborBodies(netlink), neighbor);
  await make(netlink, "put a neighbour back", RTM.NEWNEIGH, neighbors);
}

/** All routes as they were before: what has come is taken away, what has gone is made again. */
export async function restoreRoutes(
  netlink: Netlink,
  before: readonly Uint8Array[],
): Promise<void> {
  const now = await listRouteBodies(netlink);
  for await (const body of paced(await lacking(now, before, askedRoute))) {
    await netlink.change("take a route back", { type: RTM.DELROUTE, body });
  }
  await makeRoutes(netlink, await lacking(before, now, askedRoute));
}

/** How the address was asked for; undefined if it is the kernel's, or on none of these links. */
function askedAddress(body: Uint8Array, indices: ReadonlySet<number>): Uint8Array | undefined {
  const { members, attributes } = decodeBody("ifaddrmsg", body);
  if (!indices.has(members.ifa_index) || attributes.has(IFA.PROTO)) return undefined;
  return encodeBody("ifaddrmsg", members, without(attributes, IFA.CACHEINFO));
}

/** How the route was asked for; undefined if it is the kernel's, or leads to none of these links. */
function askedRoute(body: Uint8Array, indices?: ReadonlySet<number>): Uint8Array | undefined {
  const { members, attributes } = decodeBody("rtmsg", body);
  if (BY_KERNEL.has(members.rtm_protocol) || members.rtm_table === RT_TABLE.LOCAL) return undefined;
  if (indices?.has(wordIn(attributes.get(RTA.OIF)) ?? 0) === false) return undefined;
  // How the link is doing is not the route's to say.
  const asked = { ...members, rtm_flags: members.rtm_flags & RTNH_F.ONLINK };
  return encodeBody("rtmsg", asked, without(attributes, RTA.CACHEINFO));
}

async function listNeighborBodies(netlink: Netlink): Promise<readonly Uint8Array[]> {
  return [...(await neighborsByKey(netlink)).values()];
}

/** undefined: on none of these links, or found by the kernel, which finds it again. */
function askedNeighbor(body: Uint8Array, indices: ReadonlySet<number>): Uint8Array | undefined {
  const {
    ndm_ifindex: index,
    ndm_state: state,
    ndm_flags: flags,
  } = decodeBody("ndmsg", body).members;
  const isAsked = state === NUD.PERMANENT || (flags & NTF.PROXY) !== 0;
  return isAsked && indices.has(index) ? body : undefined;
}

/** What `one` has and `other` has not, as it was asked for. */
async function lacking(
  one: readonly Uint8Array[],
  other: readonly Uint8Array[],
  asked: (body: Uint8Array) => Uint8Array | undefined,
): Promise<readonly Uint8Array[]> {
  const found = await byText(one, asked);
  for (const key of (await byText(other, asked)).keys()) found.delete(key);
  return [...found.values()];
}

async function byText(
  bodies: readonly Uint8Array[],
  asked: (body: Uint8Array) => Uint8Array | undefined,
): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const body of paced(bodies)) {
    const wanted = asked(body);
    if (wanted !== undefined) found.set(wanted.toHex(), wanted);
  }
  return found;
}

async function makeRoutes(netlink: Netlink, bodies: readonly Uint8Array[]): Promise<void> {
  // A gateway must be reached by a route that is there already.
  const isDirect = (body: Uint8Array) => {
    const { attributes } = decodeBody("rtmsg", body);
    return !attributes.has(RTA.GATEWAY) && !attributes.has(RTA.VIA);
  };
  const [direct, others] = [bodies.filter(isDirect), bodies.filter((body) => !isDirect(body))];
  await make(netlink, "put a route back", RTM.NEWROUTE, [...direct, ...others]);
}

async function make(
  netlink: Netlink,
  label: string,
  type: number,
  bodies: readonly Uint8Array[],
): Promise<void> {
  for await (const body of paced(bodies)) {
    try {
      await netlink.change(label, { type, flags: NLM_F.CREATE | NLM_F.EXCL, body });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
  }
}

function without(attributes: AttributeMap, unwanted: number) {
  return [...attributes].filter(([type]) => type !== unwanted);
}
