// AddARPNeighbors: storage-devices-network.md section 7.5.
import { paced } from "../async/paced.ts";
import { internal, invalidArgument } from "../error.ts";
import type { Netlink } from "../kernel/netlink.ts";
import type { Attributes } from "../linux/netlink.ts";
import { NDA, NLM_F, NTF, NUD, RTM } from "../linux/netlink-flags.ts";
import { decodeBody, encodeBody } from "../linux/rtnetlink.ts";
import { type IpAddress, addressFamily, formatIp } from "./ip-address.ts";
import { listLinks } from "./link.ts";
import { readIp, readList, readMac, readName, readNumber } from "./request.ts";

/** ARPNeighbor of types.proto. */
export type NeighborMessage = {
  readonly toIPAddress?: { readonly address: string } | undefined;
  readonly device: string;
  readonly lladdr: string;
  readonly state: number;
  readonly flags: number;
};

export type Neighbor = {
  readonly address: IpAddress;
  readonly device: string;
  readonly mac: Uint8Array | undefined;
  /** NUD_* */
  readonly state: number;
  /** NTF_* */
  readonly flags: number;
};

const MOST_NEIGHBORS = 16_384;

/** Throws an AgentError for what cannot be a neighbour. */
export async function readNeighbors(
  messages: readonly NeighborMessage[],
): Promise<readonly Neighbor[]> {
  const neighbors: Neighbor[] = [];
  const asked = readList("neighbours", messages, MOST_NEIGHBORS);
  for await (const message of paced(asked)) neighbors.push(readNeighbor(message));
  return neighbors;
}

function readNeighbor(message: NeighborMessage): Neighbor {
  const address = message.toIPAddress?.address ?? "";
  if (address === "") throw invalidArgument("Unable to determine ip address of ARP neighbor");
  const neighbor = {
    address: readIp("neighbour: address", address),
    device: readName(`neighbour ${address}: device`, message.device),
    mac: message.lladdr === "" ? undefined : readMac(message.lladdr),
    state: readNumber(`neighbour ${address}: state`, message.state, 0xff) || NUD.PERMANENT,
    flags: readNumber(`neighbour ${address}: flags`, message.flags, 0xff),
  };
  const isProxy = (neighbor.flags & NTF.PROXY) !== 0;
  if (neighbor.mac !== undefined || neighbor.state !== NUD.PERMANENT || isProxy) return neighbor;
  throw invalidArgument(`neighbour ${address}: a permanent one needs its hardware address`);
}

/**
 * Made, or put in the place of the one with the same address. If one is refused, those before it are taken
 * back. Throws a KernelError, or an AgentError where there is no such link.
 */
export async function addNeighbors(
  netlink: Netlink,
  neighbors: readonly Neighbor[],
): Promise<void> {
  const indices = new Map((await listLinks(netlink)).map(({ name, index }) => [name, index]));
  const found = neighbors.map((neighbor) => {
    const index = indices.get(neighbor.device);
    if (index !== undefined) return { neighbor, body: encodeNeighbor(index, neighbor) };
    throw internal(`${labelOf(neighbor)}: Link not found (Name: ${neighbor.device})`);
  });
  const there = await neighborsByKey(netlink);
  await using undo = new AsyncDisposableStack();
  for await (const { neighbor, body } of paced(found)) {
    await put(netlink, labelOf(neighbor), body);
    const former = there.get(keyOf(body));
    there.set(keyOf(body), body);
    const label = "take a neighbour back";
    undo.defer(() =>
      former === undefined
        ? netlink.change(label, { type: RTM.DELNEIGH, body })
        : put(netlink, label, former),
    );
  }
  undo.move();
}

async function put(netlink: Netlink, label: string, body: Uint8Array): Promise<void> {
  const flags = NLM_F.CREATE | NLM_F.REPLACE;
  await netlink.change(label, { type: RTM.NEWNEIGH, flags, body });
}

/** By what they are told apart by: bodies of RTM_NEWNEIGH that make each again. Throws a KernelError. */
export async function neighborsByKey(netlink: Netlink): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  // Those that the guest answers for are a list of their own.
  for (const flags of [0, NTF.PROXY]) {
    const query = encodeBody("ndmsg", { ndm_flags: flags });
    const bodies = await netlink.list("list neighbours", { type: RTM.GETNEIGH, body: query });
    for await (const body of paced(bodies)) {
      const { members, attributes } = decodeBody("ndmsg", body);
      const told = [NDA.DST, NDA.LLADDR].flatMap((type) => {
        const value = attributes.get(type);
        return value === undefined ? [] : [[type, value] as const];
      });
      found.set(keyOf(body), encodeBody("ndmsg", members, told));
    }
  }
  return found;
}

/** There is one neighbour of a link with an address, and one that the guest answers for. */
function keyOf(body: Uint8Array): string {
  const { members, attributes } = decodeBody("ndmsg", body);
  const isProxy = (members.ndm_flags & NTF.PROXY) !== 0;
  return `${members.ndm_ifindex} ${isProxy} ${attributes.get(NDA.DST)?.toHex()}`;
}

export function encodeNeighbor(
  index: number,
  { address, mac, state, flags }: Neighbor,
): Uint8Array {
  const members = {
    ndm_family: addressFamily(address.family),
    ndm_ifindex: index,
    ndm_state: state,
    ndm_flags: flags,
  };
  const hardware: Attributes = mac === undefined ? [] : [[NDA.LLADDR, mac]];
  return encodeBody("ndmsg", members, [[NDA.DST, address.bytes], ...hardware]);
}

function labelOf({ address, device }: Neighbor): string {
  return `add ARP neighbor ${formatIp(address)} dev ${device}`;
}
