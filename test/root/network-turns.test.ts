// Two interfaces that are plugged in at once, each wanted by the name that the other has.
import { beforeAll, describe, expect, test } from "bun:test";
import { Netlink } from "../../src/kernel/netlink.ts";
import { perform } from "../../src/kernel/perform.ts";
import { CLONE } from "../../src/linux/constants.ts";
import { unshare } from "../../src/linux/process.ts";
import { listLinks } from "../../src/network/link.ts";
import { formatMac } from "../../src/network/mac-address.ts";
import { GuestNetwork } from "../../src/network/network.ts";
import { AgentNetwork } from "../support/network.ts";

const isRoot = process.getuid?.() === 0;
const lacks = isRoot ? "Debian's package iproute2" : "root";
const skipped = isRoot && Bun.which("ip") !== null ? "" : ` (skipped: needs ${lacks})`;
const CALLER = new AbortController().signal;

async function links() {
  using netlink = Netlink.open();
  return (await listLinks(netlink)).map(({ name, index, mac }) => ({
    name,
    index,
    mac: formatMac(mac),
  }));
}

describe.skipIf(skipped !== "")(`interfaces that are asked for at once${skipped}`, () => {
  const network = new AgentNetwork({ pid: process.pid });

  beforeAll(() => {
    // Of this thread, which asks the kernel and starts the programs.
    perform("take a network of its own", unshare(CLONE.NEWNET));
  });

  test("each get what is asked for them, by whatever name they are found", async () => {
    using one = network.pair();
    using two = network.pair();
    network.ipBatch([`link set ${one.name} name eth0`, `link set ${two.name} name eth1`]);
    const before = await links();
    const indexOf = (name: string) => before.find((link) => link.name === name)?.index;
    const plugged = new Map([
      ["01", indexOf("eth0")],
      ["02", indexOf("eth1")],
    ]);
    const guest = new GuestNetwork(async (place) => {
      const found = (await links()).find(({ index }) => index === plugged.get(place));
      return found?.name ?? "";
    });
    const wanted = (devicePath: string, name: string, hwAddr: string) =>
      guest.updateInterface(
        { devicePath, name, hwAddr, mtu: 0n, rawFlags: 0, IPAddresses: [] },
        CALLER,
      );
    await Promise.all([
      wanted("01", "eth1", "02:00:00:00:00:01"),
      wanted("02", "eth0", "02:00:00:00:00:02"),
    ]);
    const after = (await links()).filter(({ index }) => [...plugged.values()].includes(index));
    expect(after.map(({ name, mac }) => [name, mac])).toEqual([
      ["eth1", "02:00:00:00:00:01"],
      ["eth0", "02:00:00:00:00:02"],
    ]);
  });
});
