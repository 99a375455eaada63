// UpdateRoutes and ListRoutes against ip(8), in a network of the agent's own.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { IPFamily, type RouteSchema } from "../../src/gen/types_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { describeWithNetwork, eth0 } from "../support/network.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestAgent } from "../support/agent.ts";

const { method } = AgentService;

type Route = Omit<MessageInitShape<typeof RouteSchema>, "$typeName" | "$unknown">;

const V6 = IPFamily.v6;
const LINK = 253;

function updateRoutes(agent: TestAgent, Routes: readonly Route[]) {
  return agent.client.call(method.updateRoutes, { routes: { Routes: [...Routes] } });
}

describeWithNetwork("UpdateRoutes", (agent, network) => {
  test("makes default routes of both families, whatever the order, and answers the table", async () => {
    using _ = await eth0(agent(), network());
    const { Routes } = await updateRoutes(agent(), [
      { device: "eth0", gateway: "10.9.0.1" },
      { device: "eth0", dest: "10.9.0.1/32", scope: LINK },
      { device: "eth0", gateway: "fd00::1", family: V6 },
      { device: "eth0", dest: "172.16.0.0/255.240.0.0", gateway: "10.0.0.1" },
      { device: "eth0", dest: "192.0.2.1", gateway: "10.0.0.1" },
      { device: "eth0", dest: "fd01::/64", family: V6 },
    ]);
    expect(network().routes("-4")).toMatchObject([{ gateway: "10.9.0.1" }]);
    expect(network().routes("-6")).toMatchObject([{ gateway: "fd00::1" }]);
    expect(network().routes("-4", "10.9.0.1")).toMatchObject([{ scope: "link", dev: "eth0" }]);
    expect(network().routes("-4", "172.16.0.0/12")).toHaveLength(1);
    expect(network().routes("-4", "192.0.2.1")).toMatchObject([{ gateway: "10.0.0.1" }]);
    expect(network().routes("-6", "fd01::/64")).toMatchObject([{ dev: "eth0" }]);
    expect(Routes.filter(({ dest }) => dest === "")).toMatchObject([
      { gateway: "10.9.0.1", device: "eth0", family: IPFamily.v4 },
      { gateway: "fd00::1", device: "eth0", family: V6 },
    ]);
  });

  test("changes nothing when it is asked the same again, and takes what ListRoutes gives", async () => {
    using _ = await eth0(agent(), network());
    const routes: readonly Route[] = [
      { device: "eth0", gateway: "10.0.0.1", source: "10.0.0.2", mtu: 1300 },
      { device: "eth0", gateway: "10.77.0.1", dest: "10.78.0.0/16", flags: 4 },
      { device: "eth0", gateway: "fd00::1", family: V6, source: "fd00::2", mtu: 1350 },
      { device: "eth0", dest: "fd02::/64", source: "fd05::/64", family: V6 },
    ];
    await updateRoutes(agent(), routes);
    const before = network().everything();
    await updateRoutes(agent(), routes);
    expect(network().everything()).toEqual(before);
    const { Routes } = await agent().client.call(method.listRoutes, {});
    // The kernel's own would become ours.
    const made = Routes.filter(({ dest }) => !/^(10\.0\.0|fd00:|fe80:)/.test(dest));
    expect(made).toHaveLength(routes.length);
    expect((await updateRoutes(agent(), made)).Routes).toEqual(Routes);
    expect(network().everything()).toEqual(before);
  });

  test("leads networks of IPv4 to a gateway of IPv6, which may come first", async () => {
    using _ = await eth0(agent(), network());
    const routes: readonly Route[] = [
      { device: "eth0", gateway: "fd09::1" },
      { device: "eth0", dest: "10.78.0.0/16", gateway: "fe80::9", flags: 4 },
      { device: "eth0", dest: "fd09::/64", family: V6 },
    ];
    await updateRoutes(agent(), routes);
    const via = (host: string) => ({ via: { family: "inet6", host } });
    expect(network().routes("-4")).toMatchObject([via("fd09::1")]);
    expect(network().routes("-4", "10.78.0.0/16")).toMatchObject([via("fe80::9")]);
    const before = network().everything();
    const { Routes } = await updateRoutes(agent(), routes);
    expect(Routes).toContainEqual(expect.objectContaining({ dest: "", gateway: "fd09::1" }));
    await updateRoutes(
      agent(),
      Routes.filter(({ gateway }) => gateway !== ""),
    );
    expect(network().everything()).toEqual(before);
  });

  test("replaces the gateway of a route to the same destination, and leaves others alone", async () => {
    using _ = await eth0(agent(), network());
    network().ip("route add 10.98.0.0/16 dev eth0");
    await updateRoutes(agent(), [{ device: "eth0", gateway: "10.0.0.1", dest: "0.0.0.0/0" }]);
    await updateRoutes(agent(), [{ device: "eth0", gateway: "10.0.0.9", dest: "0.0.0.0/0" }]);
    expect(network().routes("-4")).toMatchObject([{ gateway: "10.0.0.9" }]);
    expect(network().routes("-4", "10.98.0.0/16")).toHaveLength(1);
  });

  test("has packets come from the address that is said, or from whichever if the guest has not got it", async () => {
    using _ = await eth0(agent(), network());
    await updateRoutes(agent(), [
      { device: "eth0", dest: "10.50.0.0/16", source: "10.0.0.2" },
      { device: "eth0", dest: "10.51.0.0/16", source: "192.0.2.77" },
      { device: "eth0", dest: "fd50::/64", source: "fd00::2", family: V6 },
      { device: "eth0", dest: "fd51::/64", source: "fdff::1", family: V6 },
      { device: "eth0", dest: "fd52::/64", source: "fd53::/64", family: V6 },
    ]);
    expect(network().routes("-4", "10.50.0.0/16")).toMatchObject([{ prefsrc: "10.0.0.2" }]);
    expect(network().routes("-4", "10.51.0.0/16")[0]).not.toHaveProperty("prefsrc");
    expect(network().routes("-6", "fd50::/64")).toMatchObject([{ prefsrc: "fd00::2" }]);
    expect(network().routes("-6", "fd51::/64")[0]).not.toHaveProperty("prefsrc");
    expect(network().routes("-6", "fd52::/64")).toMatchObject([{ from: "fd53::/64" }]);
  });

  test("gives a route its MTU, its scope and a gateway that is taken to be on the link", async () => {
    using _ = await eth0(agent(), network());
    await updateRoutes(agent(), [
      { device: "eth0", dest: "10.60.0.0/16", mtu: 1280, scope: LINK },
      // A host's link without a carrier says so in the flags of its routes.
      { device: "eth0", dest: "10.61.0.0/16", gateway: "10.99.0.1", flags: 4 | 16 },
      { device: "eth0", dest: "fd60::/64", gateway: "fd99::1", flags: 4, family: V6, mtu: 1290 },
    ]);
    const [link] = network().routes("-4", "10.60.0.0/16");
    expect(link).toMatchObject({ scope: "link", metrics: [{ mtu: 1280 }] });
    const [onlink] = network().routes("-4", "10.61.0.0/16");
    expect(onlink).toMatchObject({ gateway: "10.99.0.1", flags: ["onlink"] });
    const [onlink6] = network().routes("-6", "fd60::/64");
    expect(onlink6).toMatchObject({ gateway: "fd99::1", flags: ["onlink"] });
  });

  test("of 1,000 routes takes them all, twice, and lists them", async () => {
    using _ = await eth0(agent(), network());
    const routes = Array.from({ length: 1000 }, (__, index): Route => {
      const family = index % 2 === 0 ? IPFamily.v4 : V6;
      const number = index.toString(family === V6 ? 16 : 10);
      const [high, low] = [index >> 8, index & 0xff];
      return family === V6
        ? { device: "eth0", dest: `fd01:${number}::/64`, gateway: "fd00::1", family }
        : { device: "eth0", dest: `172.16.${high}.${low}/32`, gateway: "10.0.0.1", family };
    });
    const first = await updateRoutes(agent(), routes);
    const again = await updateRoutes(agent(), routes);
    expect(again).toEqual(first);
    const listed = new Set(first.Routes.map(({ dest }) => dest));
    expect(routes.filter(({ dest }) => !listed.has(dest ?? ""))).toEqual([]);
    expect(network().routes("-4", "root 172.16.0.0/16")).toHaveLength(500);
    expect(network().routes("-6", "root fd01::/16").length).toBeGreaterThanOrEqual(500);
  });

  test("of 10,000 routes lets other calls be answered meanwhile", async () => {
    using _ = await eth0(agent(), network());
    const routes = Array.from({ length: 10_000 }, (__, index) => ({
      device: "eth0",
      dest: `172.17.${index >> 8}.${index & 0xff}`,
      gateway: "10.0.0.1",
    }));
    const order: string[] = [];
    const update = updateRoutes(agent(), routes).then(() => order.push("update"));
    for (const round of ["first", "second", "third"]) {
      await agent().client.call(Health.method.check, {});
      order.push(round);
    }
    await update;
    expect(order).toEqual(["first", "second", "third", "update"]);
  });

  test("that fails half-way takes back what it has done", async () => {
    using _ = await eth0(agent(), network());
    const first = { device: "eth0", gateway: "10.0.0.1" };
    await updateRoutes(agent(), [first, { device: "eth0", gateway: "fd00::1", family: V6 }]);
    const before = network().everything();
    const refusal = await refusalOf(
      updateRoutes(agent(), [
        { device: "eth0", dest: "10.70.0.0/16" },
        { device: "eth0", gateway: "10.0.0.9" },
        { device: "eth0", gateway: "fd00::9", family: V6 },
        { device: "eth0", dest: "10.71.0.0/16", gateway: "203.0.113.1" },
        { device: "eth0", dest: "10.72.0.0/16", gateway: "10.0.0.1" },
      ]),
    );
    expect(refusal).toEqual({
      code: Code.INTERNAL,
      message:
        "update routes: add IPv4 route 10.71.0.0/16 via 203.0.113.1 dev eth0: " +
        "Nexthop has invalid gateway: ENETUNREACH: Network is unreachable",
    });
    expect(network().everything()).toEqual(before);
  });

  test.each<[string, Route, string]>([
    ["a destination that is none", { dest: "10.0.0.0/33" }, "route: dest"],
    ["a destination that is a name", { dest: "localhost" }, "route: dest"],
    ["a destination with bits behind its prefix", { dest: "10.0.0.1/24" }, "behind its prefix"],
    ["a mask with a hole", { dest: "10.0.0.0/255.0.255.0" }, "route: dest"],
    ["a destination of the other family", { dest: "fd01::/64" }, "of the family IPv4"],
    ["a gateway of the other family", { gateway: "10.0.0.1", family: V6 }, "of the family IPv6"],
    ["a gateway that is a network", { gateway: "10.0.0.1/24" }, "route: gateway"],
    ["a source that is none", { source: "me" }, "route: source"],
    ["a scope beyond 8 bits", { scope: 256 }, "route: scope"],
    ["a family that there is none of", { family: 7 as IPFamily }, "route: family"],
    ["no device", { device: "" }, "route: device"],
    ["a device that is a path", { device: "../eth0" }, "route: device"],
  ])("with %s is refused, and no other route is made", async (_, change, reason) => {
    using __ = await eth0(agent(), network());
    const before = network().everything();
    const good: Route = { device: "eth0", dest: "10.80.0.0/16" };
    const refusal = await refusalOf(updateRoutes(agent(), [good, { ...good, ...change }]));
    expect(refusal).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining(reason),
    });
    expect(network().everything()).toEqual(before);
  });

  test("by a link that there is not is refused before any route is made", async () => {
    using _ = await eth0(agent(), network());
    const before = network().everything();
    const routes = [
      { device: "eth0", dest: "10.80.0.0/16" },
      { device: "eth9", dest: "10.81.0.0/16" },
    ];
    expect(await refusalOf(updateRoutes(agent(), routes))).toEqual({
      code: Code.INTERNAL,
      message: "update routes: add IPv4 route 10.81.0.0/16 dev eth9: Link not found (Name: eth9)",
    });
    expect(network().everything()).toEqual(before);
  });

  test("without routes is refused; of none it changes nothing", async () => {
    expect(await refusalOf(agent().client.call(method.updateRoutes, {}))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "empty update routes request",
    });
    const before = network().everything();
    await updateRoutes(agent(), []);
    expect(network().everything()).toEqual(before);
  });
});

describeWithNetwork("ListRoutes", (agent, network) => {
  test("tells of the main table as it is: destinations, families, ways of a route", async () => {
    using _ = await eth0(agent(), network());
    network().ip("route add default via 10.0.0.1 src 10.0.0.2 mtu 1300");
    network().ip("route add 10.90.0.0/16 nexthop via 10.0.0.3 nexthop via 10.0.0.4");
    network().ip("route add 10.91.0.0/16 via inet6 fd00::7");
    network().ip("route add 10.92.0.0/16 dev eth0 table 100");
    network().ip("route add blackhole 10.93.0.0/16");
    network().ip("-6 route add default via fd00::1 dev eth0");
    const { Routes } = await agent().client.call(method.listRoutes, {});
    const shown = Routes.filter(({ device }) => device === "eth0").map(
      ({ $typeName: _type, ...route }) => route,
    );
    const common = { device: "eth0", source: "", scope: 0, flags: 0, mtu: 0 };
    const [v4, v6] = [
      { ...common, family: IPFamily.v4 },
      { ...common, family: V6 },
    ];
    expect(shown).toEqual([
      { ...v4, dest: "", gateway: "10.0.0.1", source: "10.0.0.2", mtu: 1300 },
      { ...v4, dest: "10.0.0.0/24", gateway: "", source: "10.0.0.2", scope: LINK },
      { ...v4, dest: "10.90.0.0/16", gateway: "10.0.0.3" },
      { ...v4, dest: "10.90.0.0/16", gateway: "10.0.0.4" },
      { ...v4, dest: "10.91.0.0/16", gateway: "fd00::7" },
      { ...v6, dest: "fd00::/64", gateway: "" },
      { ...v6, dest: "fe80::/64", gateway: "" },
      { ...v6, dest: "", gateway: "fd00::1" },
    ]);
    expect(Routes.map(({ dest }) => dest)).not.toContain("10.93.0.0/16");
  });
});
