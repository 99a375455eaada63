// UpdateRoutes and ListRoutes: storage-devices-network.md sections 7.2 and 7.3.
import { paced } from "../async/paced.ts";
import { internal, invalidArgument } from "../error.ts";
import type { Netlink } from "../kernel/netlink.ts";
import { KernelError } from "../linux/error.ts";
import { RTNH_F } from "../linux/netlink-flags.ts";
import {
  type Family,
  type IpAddress,
  type Network,
  formatIp,
  formatNetwork,
  hasHostBits,
} from "./ip-address.ts";
import { restoreRoutes } from "./kept.ts";
import { listLinks } from "./link.ts";
import {
  familyNumber,
  readFamily,
  readIp,
  readList,
  readName,
  readNetwork,
  readNumber,
} from "./request.ts";
import { type Route, addRoute, decodeRoute, listRouteBodies } from "./route.ts";

/** Route of types.proto. */
export type RouteMessage = {
  readonly dest: string;
  readonly gateway: string;
  readonly device: string;
  readonly source: string;
  readonly scope: number;
  readonly family: number;
  readonly flags: number;
  readonly mtu: number;
};

export type RouteAnswer = RouteMessage & { readonly family: 0 | 1 };

/** By the name of its link. */
export type WantedRoute = Omit<Route, "index"> & { readonly device: string };

const MOST_ROUTES = 16_384;

/** Throws an AgentError for what cannot be a route. */
export async function readRoutes(
  messages: readonly RouteMessage[],
): Promise<readonly WantedRoute[]> {
  const routes: WantedRoute[] = [];
  const asked = readList("routes", messages, MOST_ROUTES);
  for await (const message of paced(asked)) routes.push(readRoute(message));
  // A gateway must be reached by a route that is there already.
  const isDirect = ({ gateway }: WantedRoute) => gateway === undefined;
  return [...routes.filter(isDirect), ...routes.filter((route) => !isDirect(route))];
}

function readRoute(message: RouteMessage): WantedRoute {
  const family = readFamily("route: family", message.family);
  const destination =
    message.dest === "" ? undefined : readNetwork("route: dest", message.dest, family);
  if (destination !== undefined && hasHostBits(destination)) {
    throw invalidArgument(`route: dest: ${formatNetwork(destination)} has bits behind its prefix`);
  }
  return {
    family,
    destination: destination?.prefix === 0 ? undefined : destination,
    gateway: message.gateway === "" ? undefined : readGateway(message.gateway, family),
    device: readName("route: device", message.device),
    ...readSource(message.source, family),
    scope: readNumber("route: scope", message.scope, 0xff),
    // The other flags tell how the host's link is doing; the kernel takes none of them.
    isOnLink: (message.flags & RTNH_F.ONLINK) !== 0,
    mtu: readNumber("route: mtu", message.mtu, 0xffff_ffff),
  };
}

/** One of IPv6 may lead to networks of IPv4 (RFC 5549), and not the other way round. */
function readGateway(text: string, family: Family): IpAddress {
  return readIp("route: gateway", text, family === "v4" ? undefined : family);
}

/** An address is the one that packets come from; a network is whose packets the route is for. */
function readSource(source: string, family: Family): Pick<Route, "preferredSource" | "from"> {
  if (source === "") return { preferredSource: undefined, from: undefined };
  const network = readNetwork("route: source", source, family);
  return source.includes("/") && network.prefix > 0
    ? { preferredSource: undefined, from: network }
    : { preferredSource: network.address, from: undefined };
}

/**
 * Routes that are there and not named stay. If one cannot be made, those before it are taken back.
 * Throws a KernelError, or an AgentError where there is no such link.
 */
export async function updateRoutes(
  netlink: Netlink,
  wanted: readonly WantedRoute[],
): Promise<void> {
  const indices = new Map((await listLinks(netlink)).map(({ name, index }) => [name, index]));
  const routes = wanted.map((route) => {
    const index = indices.get(route.device);
    if (index !== undefined) return { ...route, index };
    throw internal(`${labelOf(route)}: Link not found (Name: ${route.device})`);
  });
  const before = await listRouteBodies(netlink);
  try {
    for await (const route of paced(routes)) await makeRoute(netlink, labelOf(route), route);
  } catch (error) {
    await restoreRoutes(netlink, before);
    throw error;
  }
}

async function makeRoute(netlink: Netlink, label: string, route: Route): Promise<void> {
  try {
    await addRoute(netlink, label, route);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (error.is("EEXIST")) return;
    // The address to come from is not one of the guest's, or not yet: the route is worth having all the same.
    if (!error.is("EINVAL") || route.preferredSource === undefined) throw error;
    await addRoute(netlink, label, { ...route, preferredSource: undefined });
  }
}

/** The main table, IPv4 first. Handed to UpdateRoutes, it changes nothing. Throws a KernelError. */
export async function describeRoutes(netlink: Netlink): Promise<readonly RouteAnswer[]> {
  const names = new Map((await listLinks(netlink)).map(({ name, index }) => [index, name]));
  const answers: RouteAnswer[] = [];
  for await (const body of paced(await listRouteBodies(netlink))) {
    for (const route of decodeRoute(body)) {
      answers.push(describe(route, names.get(route.index) ?? ""));
    }
  }
  return answers;
}

function describe(route: Route, device: string): RouteAnswer {
  const { preferredSource: source, from, gateway } = route;
  return {
    dest: networkText(route.destination),
    gateway: gateway === undefined ? "" : formatIp(gateway),
    device,
    source: source === undefined ? networkText(from) : formatIp(source),
    scope: route.scope,
    family: familyNumber(route.family),
    flags: route.isOnLink ? RTNH_F.ONLINK : 0,
    mtu: route.mtu,
  };
}

function networkText(network: Network | undefined): string {
  return network === undefined ? "" : formatNetwork(network);
}

function labelOf({ family, destination, gateway, device }: WantedRoute): string {
  const to = destination === undefined ? "default" : formatNetwork(destination);
  const via = gateway === undefined ? "" : ` via ${formatIp(gateway)}`;
  return `add IP${family} route ${to}${via} dev ${device}`;
}
