// AddARPNeighbors: storage-devices-network.md section 7.5.
import { paced } from "../async/paced.ts";
import { internal, invalidArgument } from "../error.ts";
import type { Netlink } from "../kernel/netlink.ts";
import type { Attributes } from "../linux/netlink.ts";
import { NDA, NLM_F, NTF, NUD, RTM } from "../linux/netlink-flags.ts";
import { encodeBody } from "../linux/rtnetlink.ts";
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
 * Made, or put in the place of the one with the same address; the first that the kernel refuses ends it.
 * Throws a KernelError, or an AgentError where there is no such link.
 */
export async function addNeighbors(
  netlink: Netlink,
  neighbors: readonly Neighbor[],
): Promise<void> {
  const indices = new Map((await listLinks(netlink)).map(({ name, index }) => [name, index]));
  const found = neighbors.map((neighbor) => {
    const index = indices.get(neighbor.device);
    if (index !== undefined) return { neighbor, index };
    throw internal(`${labelOf(neighbor)}: Link not found (Name: ${neighbor.device})`);
  });
  for await (const { neighbor, index } of paced(found)) {
    await netlink.change(labelOf(neighbor), {
      type: RTM.NEWNEIGH,
      flags: NLM_F.CREATE | NLM_F.REPLACE,
      body: encodeNeighbor(index, neighbor),
    });
  }
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
