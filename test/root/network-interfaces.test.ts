// UpdateInterface and ListInterfaces against ip(8), in a network of the agent's own.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { IPFamily } from "../../src/gen/types_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { describeWithNetwork, updateInterface } from "../support/network.ts";
import { refusalOf } from "../support/refusal.ts";

const { method } = AgentService;

describeWithNetwork("UpdateInterface", (agent, network) => {
  test("finds the link by its hardware address, and answers what it was asked", async () => {
    using pair = network().pair();
    const asked = { name: "eth0", hwAddr: pair.mac.toUpperCase(), mtu: 1400n };
    const addresses = ["10.1.0.2/24", "fd01::2/64"];
    const answer = await updateInterface(agent(), { ...asked, addresses });
    expect(answer).toMatchObject({ ...asked, device: "eth0" });
    expect(answer.IPAddresses.map(({ address }) => address)).toEqual(["10.1.0.2", "fd01::2"]);

    const link = network().link("eth0");
    expect(link).toMatchObject({ ifindex: pair.index, mtu: 1400, address: pair.mac });
    expect(link?.flags).toContain("UP");
    expect(link?.flags).not.toContain("NOARP");
    expect(network().addresses("eth0")).toEqual(addresses);
    expect(link?.addr_info[0]?.broadcast).toBe("10.1.0.255");
    // The kernel would not let a route name an address that it is still looking into.
    expect(network().ip("-6 addr show dev eth0 tentative to fd01::2")).toBe("");
  });

  test("changes nothing when it is asked the same again, not even routes", async () => {
    using pair = network().pair();
    const asked = { name: "eth0", hwAddr: pair.mac, mtu: 1400n, rawFlags: 0x80 };
    const addresses = ["10.2.0.2/24", "10.2.0.3/32", "fd02::2/64"];
    await updateInterface(agent(), { ...asked, addresses });
    network().ip("route add 10.99.0.0/16 via 10.2.0.1");
    network().ip("-6 route add fd99::/64 via fd02::1");
    const before = network().everything();
    expect(network().link("eth0")?.flags).toContain("NOARP");
    await updateInterface(agent(), { ...asked, addresses });
    expect(network().everything()).toEqual(before);
  });

  test("keeps addresses that it does not name, and what a new name would take away", async () => {
    using pair = network().pair();
    await updateInterface(agent(), { name: "eth0", hwAddr: pair.mac, addresses: ["fd03::2/64"] });
    network().ip("route add 10.99.0.0/16 dev eth0");
    network().ip("-6 route add fd99::/64 via fd03::1");
    network().ip("-6 route add default via fd03::1 metric 7");
    const renamed = { name: "net1", hwAddr: pair.mac, addresses: ["10.3.0.2/24"] };
    await updateInterface(agent(), renamed);
    expect(network().addresses("net1").toSorted()).toEqual(["10.3.0.2/24", "fd03::2/64"]);
    expect(network().routes("-4", "10.99.0.0/16")).toMatchObject([{ dev: "net1" }]);
    expect(network().routes("-6", "fd99::/64")).toMatchObject([{ gateway: "fd03::1" }]);
    expect(network().routes("-6", "default")).toMatchObject([{ gateway: "fd03::1", metric: 7 }]);
  });

  test("swaps the names of two links where the other has the one that is wanted", async () => {
    using one = network().pair();
    using two = network().pair();
    await updateInterface(agent(), { name: "eth0", hwAddr: one.mac, addresses: ["10.4.0.1/24"] });
    await updateInterface(agent(), { name: "eth1", hwAddr: two.mac, addresses: ["10.4.1.1/24"] });
    await updateInterface(agent(), { name: "eth1", hwAddr: one.mac });
    expect(network().link("eth1")).toMatchObject({ ifindex: one.index });
    expect(network().link("eth0")).toMatchObject({ ifindex: two.index });
    expect(network().link("eth0")?.flags).toContain("UP");
    expect(network().addresses("eth0")).toEqual(["10.4.1.1/24"]);
    expect(network().routes("-4", "10.4.1.0/24")).toMatchObject([{ dev: "eth0" }]);
  });

  test("takes a name of 15 bytes, also from another link", async () => {
    using one = network().pair();
    using two = network().pair();
    const name = "a-name-of-fifte";
    await updateInterface(agent(), { name, hwAddr: one.mac });
    await updateInterface(agent(), { name, hwAddr: two.mac });
    expect(network().link(name)).toMatchObject({ ifindex: two.index });
    expect(network().link(two.name)).toMatchObject({ ifindex: one.index });
  });

  test("gives a link of the wanted name the hardware address that no link has", async () => {
    using pair = network().pair();
    network().ip(`addr add 10.5.0.2/24 dev ${pair.name}`);
    network().ip(`link set ${pair.name} up`);
    const hwAddr = "02:aa:00:00:00:05";
    await updateInterface(agent(), { name: pair.name, hwAddr });
    expect(network().link(pair.name)).toMatchObject({ address: hwAddr, ifindex: pair.index });
    expect(network().addresses(pair.name)).toEqual(["10.5.0.2/24"]);
  });

  test("of a link that there is not says what hosts look for before they ask again", async () => {
    const asked = { name: "eth9", hwAddr: "02:bb:00:00:00:01", addresses: ["10.6.0.2/24"] };
    const before = network().everything();
    expect(await refusalOf(updateInterface(agent(), asked))).toEqual({
      code: Code.INTERNAL,
      message: "update interface: Link not found (Address: 02:bb:00:00:00:01)",
    });
    expect(network().everything()).toEqual(before);
  });

  test("leaves the loopback alone, by whatever it is asked for", async () => {
    using pair = network().pair();
    const before = network().everything();
    const zeros = { name: "eth0", hwAddr: "00:00:00:00:00:00" };
    const unknown = { name: "lo", hwAddr: "02:bb:00:00:00:02" };
    const named = { name: "lo", hwAddr: pair.mac };
    const refusals = [zeros, unknown, named].map((each) =>
      refusalOf(updateInterface(agent(), each)),
    );
    expect((await Promise.all(refusals)).map(({ message }) => message)).toEqual([
      "update interface: Link not found (Address: 00:00:00:00:00:00)",
      "update interface: Link not found (Address: 02:bb:00:00:00:02)",
      "update interface: lo is the guest's own",
    ]);
    expect(network().everything()).toEqual(before);
  });

  test("leaves addresses of IPv6 out where the guest has none of it", async () => {
    using pair = network().pair();
    const set = (value: number) => {
      for (const which of ["all", "default"]) {
        const path = `/proc/sys/net/ipv6/conf/${which}/disable_ipv6`;
        network().run("sh", "-c", `echo ${value} >${path}`);
      }
    };
    set(1);
    try {
      const addresses = ["10.7.0.2/24", "fd07::2/64"];
      await updateInterface(agent(), { name: "eth0", hwAddr: pair.mac, addresses });
      expect(network().addresses("eth0")).toEqual(["10.7.0.2/24"]);
    } finally {
      set(0);
    }
  });

  test("that fails half-way leaves both links as they were", async () => {
    using one = network().pair();
    using two = network().pair();
    await updateInterface(agent(), { name: "eth0", hwAddr: one.mac, addresses: ["fd08::1/64"] });
    await updateInterface(agent(), { name: "eth1", hwAddr: two.mac, addresses: ["fd08::2/64"] });
    network().ip("-6 route add fd99::/64 via fd08::9 dev eth0");
    network().ip("route add 10.99.0.0/16 dev eth1");
    const before = network().everything();
    const tooLarge = { name: "eth1", hwAddr: one.mac, mtu: 70_000n };
    const refusal = await refusalOf(updateInterface(agent(), tooLarge));
    expect(refusal.code).toBe(Code.INTERNAL);
    expect(refusal.message).toMatch(
      /^update interface: set eth0 to name eth1, MTU 70000: .*EINVAL/,
    );
    expect(network().everything()).toEqual(before);

    // The last is one that the kernel gives to lo alone.
    const addresses = ["10.8.0.1/24", "fd08::3/64", "::1/128"];
    const unusable = { name: "eth1", hwAddr: one.mac, mtu: 1300n, addresses };
    const reason = await refusalOf(updateInterface(agent(), unusable));
    expect(reason.message).toMatch(/^update interface: add address .* to eth0: /);
    expect(network().everything()).toEqual(before);
  });

  test.each([
    ["a hardware address that is none", { hwAddr: "02:00:00:00:00" }, "MAC address"],
    ["a hardware address of other digits", { hwAddr: "02:00:00:00:00:0g" }, "MAC address"],
    ["no name", { name: "" }, "interface: name"],
    ["a name of 16 bytes", { name: "sixteen-bytes-is" }, "interface: name"],
    ["a name that is a path", { name: "../eth0" }, "interface: name"],
    ["a name for the kernel to fill in", { name: "eth%d" }, "interface: name"],
    ["an MTU of 64 bits", { mtu: 1n << 40n }, "interface: mtu"],
    ["an address that is none", { addresses: ["10.0.0.256/24"] }, "interface: address"],
    ["a prefix that is too long", { addresses: ["10.0.0.1/24", "10.0.0.2/33"] }, '"33"'],
    ["a prefix of IPv6 that is too long", { addresses: ["fd00::1/129"] }, '"129"'],
    ["a prefix that is a mask", { addresses: ["10.0.0.1/255.0.0.0"] }, "prefix length"],
    ["more addresses than 256", { addresses: Array(257).fill("10.0.0.1/24") }, "257"],
  ])("with %s is refused, and nothing is done", async (_, change, reason) => {
    using pair = network().pair();
    const before = network().everything();
    const asked = { name: "eth0", hwAddr: pair.mac, addresses: ["10.0.0.1/24"], ...change };
    const refusal = await refusalOf(updateInterface(agent(), asked));
    expect(refusal).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining(reason),
    });
    expect(network().everything()).toEqual(before);
  });

  test("without an interface is refused", async () => {
    expect(await refusalOf(agent().client.call(method.updateInterface, {}))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "empty update interface request",
    });
  });

  test("twice at once, for names that the two exchange, gives each its own", async () => {
    using one = network().pair();
    using two = network().pair();
    await updateInterface(agent(), { name: "eth0", hwAddr: one.mac });
    await updateInterface(agent(), { name: "eth1", hwAddr: two.mac });
    await Promise.all([
      updateInterface(agent(), { name: "eth1", hwAddr: one.mac }),
      updateInterface(agent(), { name: "eth0", hwAddr: two.mac }),
    ]);
    expect(network().link("eth1")).toMatchObject({ ifindex: one.index });
    expect(network().link("eth0")).toMatchObject({ ifindex: two.index });
  });

  test("holds nothing when it is over, however it ends", async () => {
    using pair = network().pair();
    const before = agent().held();
    for (const mtu of [1300n, 1400n, 70_000n]) {
      await updateInterface(agent(), { name: "eth0", hwAddr: pair.mac, mtu }).catch(() => {});
    }
    await agent().untilHeld(before);
  });
});

describeWithNetwork("ListInterfaces", (agent, network) => {
  test("tells of every link, with its addresses and their families", async () => {
    using pair = network().pair();
    const addresses = ["10.1.0.2/24", "fd01::2/64"];
    await updateInterface(agent(), { name: "eth0", hwAddr: pair.mac, mtu: 1400n, addresses });
    network().ip("link set lo up");
    const { Interfaces } = await agent().client.call(method.listInterfaces, {});
    const find = (wanted: string) => Interfaces.find(({ name }) => name === wanted);
    const eth0 = find("eth0");
    expect(eth0).toMatchObject({ hwAddr: pair.mac.toUpperCase(), mtu: 1400n });
    const shown = (network().link("eth0")?.addr_info ?? []).map(({ local, prefixlen }) => ({
      address: local,
      mask: String(prefixlen),
      family: local.includes(":") ? IPFamily.v6 : IPFamily.v4,
    }));
    expect(eth0?.IPAddresses).toMatchObject(shown);
    expect(find("lo")?.IPAddresses).toMatchObject([
      { address: "127.0.0.1", mask: "8", family: IPFamily.v4 },
      { address: "::1", mask: "128", family: IPFamily.v6 },
    ]);
  });

  test("tells of 500 links", async () => {
    const numbers = Array.from({ length: 250 }, (_, index) => index);
    network().ipBatch(numbers.map((each) => `link add many${each} type veth peer many${each}b`));
    const { Interfaces } = await agent().client.call(method.listInterfaces, {});
    expect(Interfaces.filter(({ name }) => name.startsWith("many")).length).toBe(500);
  });
});
