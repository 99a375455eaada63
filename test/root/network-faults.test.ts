// Each change of a request that the kernel could refuse, refused: what is left is what was there before.
import { beforeAll, describe, expect, test } from "bun:test";
import { Netlink, type NetlinkRequest } from "../../src/kernel/netlink.ts";
import { perform } from "../../src/kernel/perform.ts";
import { CLONE } from "../../src/linux/constants.ts";
import { errnoNumber } from "../../src/linux/errno.ts";
import { KernelError } from "../../src/linux/error.ts";
import { write } from "../../src/linux/io.ts";
import { unshare } from "../../src/linux/process.ts";
import { readInterface, updateInterface } from "../../src/network/interfaces.ts";
import { addNeighbors, readNeighbors } from "../../src/network/neighbors.ts";
import { readRoutes, updateRoutes } from "../../src/network/routes.ts";
import { AgentNetwork } from "../support/network.ts";

const isRoot = process.getuid?.() === 0;
const lacks = isRoot ? "Debian's package iproute2" : "root";
const skipped = isRoot && Bun.which("ip") !== null ? "" : ` (skipped: needs ${lacks})`;

/** Far more than a request makes. */
const MOST_CHANGES = 60;

/** NTF_PROXY */
const PROXY = 8;

const FAULT = "a fault of the test";

/** For the first link, whose name the second has. */
const SWAP = {
  name: "eth1",
  devicePath: "",
  mtu: 1300n,
  rawFlags: 0x80,
  IPAddresses: [
    { family: 0, address: "10.0.2.1", mask: "24" },
    { family: 1, address: "fd02::1", mask: "64" },
  ],
};

/** As the kernel's, but for one change, which is refused. */
async function asked(
  at: number,
  request: (netlink: Netlink) => Promise<unknown>,
): Promise<{ readonly isDone: boolean; readonly fault: string }> {
  using netlink = Netlink.open();
  const change = netlink.change.bind(netlink);
  let count = 0;
  let fault = "";
  netlink.change = async (label: string, wanted: NetlinkRequest) => {
    count += 1;
    if (count !== at) return await change(label, wanted);
    fault = label;
    throw new KernelError(FAULT, write(0, new Uint8Array(0)), errnoNumber("ENOMEM"));
  };
  const isDone = await request(netlink).then(
    () => true,
    (error: unknown) => {
      if (!String(error).includes(FAULT)) throw error;
      return false;
    },
  );
  return { isDone, fault };
}

describe.skipIf(skipped !== "")(`a request whose change is refused${skipped}`, () => {
  const network = new AgentNetwork({ pid: process.pid });

  beforeAll(() => {
    // Of this thread, which asks the kernel and starts the programs.
    perform("take a network of its own", unshare(CLONE.NEWNET));
  });

  /** eth0 and eth1, with all that they can have, gone when disposed. */
  function twoLinks() {
    const [one, two] = [network.pair(), network.pair()];
    network.ipBatch([
      `link set ${one.name} name eth0 mtu 1400 up`,
      `link set ${two.name} name eth1 arp off up`,
      "addr add 10.0.0.1/24 dev eth0",
      "addr add 10.0.1.1/24 dev eth1",
      "addr add fd00::1/64 dev eth0 nodad",
      "addr add fd01::1/64 dev eth1 nodad",
      "route add default via 10.0.0.9",
      "route add 10.9.0.0/16 via 10.0.1.9",
      "route add ::/0 via fd00::9",
      "route add fd09::/64 via fd01::9",
      "neigh add 10.0.0.9 lladdr 02:cc:00:00:00:09 nud permanent dev eth0",
      "neigh add fd01::9 lladdr 02:cc:00:00:00:0a nud permanent dev eth1",
      "neigh add proxy 10.0.0.7 dev eth0",
    ]);
    const stack = new DisposableStack();
    stack.use(one);
    stack.use(two);
    return { mac: one.mac, [Symbol.dispose]: () => stack.dispose() };
  }

  test("has names, addresses, routes and flags of two links as they were, whichever it is", async () => {
    const faults: string[] = [];
    for (let at = 1; at < MOST_CHANGES; at++) {
      using links = twoLinks();
      const wanted = readInterface({ ...SWAP, hwAddr: links.mac });
      const before = network.everything();
      const { isDone, fault } = await asked(at, (netlink) => updateInterface(netlink, wanted));
      if (fault === "") break;
      faults.push(fault);
      // What cannot be put back after it the host sends again.
      expect({ fault, isDone }).toEqual({ fault, isDone: /^put an? \w+ back$/.test(fault) });
      if (!isDone) expect({ fault, left: network.everything() }).toEqual({ fault, left: before });
    }
    expect(new Set(faults).size).toBeGreaterThan(8);
    expect(faults.length).toBeLessThan(MOST_CHANGES - 1);
  }, 30_000);

  test("has the routes as they were, whichever it is", async () => {
    using pair = network.pair();
    network.ipBatch([
      `link set ${pair.name} name eth0 up`,
      "addr add 10.0.0.1/24 dev eth0",
      "addr add fd00::1/64 dev eth0 nodad",
      "route add default via 10.0.0.9",
      "route add ::/0 via fd00::9",
    ]);
    const route = { dest: "", device: "eth0", source: "", scope: 0, family: 0, flags: 0, mtu: 0 };
    const wanted = await readRoutes([
      { ...route, gateway: "10.0.0.8" },
      { ...route, gateway: "fd00::8", family: 1, mtu: 1400 },
      { ...route, gateway: "", dest: "10.8.0.0/16" },
      { ...route, gateway: "fd00::8", family: 1, dest: "fd08::/64" },
    ]);
    const before = network.everything();
    for (let at = 1; at <= wanted.length; at++) {
      const { isDone, fault } = await asked(at, (netlink) => updateRoutes(netlink, wanted));
      expect({ isDone, left: network.everything() }).toEqual({ isDone: false, left: before });
      expect(fault).toStartWith("add IP");
    }
    expect((await asked(99, (netlink) => updateRoutes(netlink, wanted))).isDone).toBe(true);
  });

  test("has the neighbours as they were, whichever it is", async () => {
    using pair = network.pair();
    network.ipBatch([
      `link set ${pair.name} name eth0 up`,
      "neigh add 10.0.0.2 lladdr 02:cc:00:00:00:02 nud permanent dev eth0",
      "neigh add proxy 10.0.0.4 dev eth0",
    ]);
    const wanted = await readNeighbors(
      [
        ["10.0.0.1", "02:dd:00:00:00:01", 0],
        ["10.0.0.2", "02:dd:00:00:00:02", 0],
        ["fd00::1", "02:dd:00:00:00:03", 0],
        ["10.0.0.4", "", PROXY],
        ["10.0.0.5", "", PROXY],
        // Twice the same: each takes back what it itself has changed.
        ["10.0.0.1", "02:dd:00:00:00:06", 0],
        ["10.0.0.2", "02:dd:00:00:00:07", 0],
        ["10.0.0.6", "02:dd:00:00:00:08", 0],
      ].map(([address, lladdr, flags]) => ({
        toIPAddress: { address: String(address) },
        device: "eth0",
        lladdr: String(lladdr),
        state: 0,
        flags: Number(flags),
      })),
    );
    const before = network.everything();
    for (let at = 1; at <= wanted.length; at++) {
      const { isDone } = await asked(at, (netlink) => addNeighbors(netlink, wanted));
      expect({ at, isDone, left: network.everything() }).toEqual({
        at,
        isDone: false,
        left: before,
      });
    }
    expect((await asked(99, (netlink) => addNeighbors(netlink, wanted))).isDone).toBe(true);
    expect(network.everything()).not.toEqual(before);
  });
});
