// AddARPNeighbors against ip(8), in a network of the agent's own.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { ARPNeighborSchema } from "../../src/gen/types_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import type { TestAgent } from "../support/agent.ts";
import { describeWithNetwork, eth0 } from "../support/network.ts";
import { refusalOf } from "../support/refusal.ts";

const { method } = AgentService;

type Neighbor = Omit<MessageInitShape<typeof ARPNeighborSchema>, "$typeName" | "$unknown">;

const MAC = "02:cc:00:00:00:01";
const STALE = 4;
const PROXY = 8;

function addNeighbors(agent: TestAgent, ARPNeighbors: readonly Neighbor[]) {
  const request = { neighbors: { ARPNeighbors: [...ARPNeighbors] } };
  return agent.client.call(method.addARPNeighbors, request);
}

const neighbor = (address: string, change: Neighbor = {}): Neighbor => ({
  toIPAddress: { address },
  device: "eth0",
  lladdr: MAC,
  ...change,
});

describeWithNetwork("AddARPNeighbors", (agent, network) => {
  const shown = (words: string) => JSON.parse(network().ip(`-j neigh show ${words}`));

  test("makes permanent neighbours of both families, twice the same", async () => {
    using _ = await eth0(agent(), network());
    const wanted = [neighbor("10.0.0.1"), neighbor("fd00::1")];
    await addNeighbors(agent(), wanted);
    const before = network().everything();
    await addNeighbors(agent(), wanted);
    expect(network().everything()).toEqual(before);
    expect(shown("10.0.0.1")).toEqual([
      { dst: "10.0.0.1", dev: "eth0", lladdr: MAC, state: ["PERMANENT"] },
    ]);
    expect(shown("fd00::1")).toMatchObject([{ lladdr: MAC, state: ["PERMANENT"] }]);
  });

  test("takes another state, a new hardware address, and flags", async () => {
    using _ = await eth0(agent(), network());
    await addNeighbors(agent(), [neighbor("10.0.0.3", { state: STALE })]);
    expect(shown("10.0.0.3")).toMatchObject([{ state: ["STALE"] }]);
    await addNeighbors(agent(), [neighbor("10.0.0.3", { lladdr: "2:cc:0:0:0:2" })]);
    expect(shown("10.0.0.3")).toMatchObject([{ lladdr: "02:cc:00:00:00:02" }]);
    await addNeighbors(agent(), [neighbor("10.0.0.4", { lladdr: "", flags: PROXY })]);
    expect(shown("proxy")).toMatchObject([{ dst: "10.0.0.4", dev: "eth0", proxy: null }]);
  });

  test.each<[string, Neighbor, string]>([
    ["no address", { toIPAddress: {} }, "Unable to determine ip address of ARP neighbor"],
    ["an address that is none", { toIPAddress: { address: "10.0.0" } }, "neighbour: address"],
    ["a hardware address that is none", { lladdr: "02:00" }, "MAC address"],
    ["no hardware address, for ever", { lladdr: "" }, "needs its hardware address"],
    ["a state of more than 8 bits", { state: 256 }, "state"],
    ["a negative state", { state: -1 }, "state"],
    ["flags of more than 8 bits", { flags: 0x100 }, "flags"],
    ["no device", { device: "" }, "device"],
  ])("with %s is refused, and no other is made", async (_, change, reason) => {
    using __ = await eth0(agent(), network());
    const before = network().everything();
    const refusal = await refusalOf(
      addNeighbors(agent(), [neighbor("10.0.0.1"), neighbor("10.0.0.5", change)]),
    );
    expect(refusal).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining(reason),
    });
    expect(network().everything()).toEqual(before);
  });

  test("by a link that there is not is refused before any is made", async () => {
    using _ = await eth0(agent(), network());
    const before = network().everything();
    const wanted = [neighbor("10.0.0.1"), neighbor("10.0.0.5", { device: "eth9" })];
    expect(await refusalOf(addNeighbors(agent(), wanted))).toEqual({
      code: Code.INTERNAL,
      message:
        "add ARP neighbours: add ARP neighbor 10.0.0.5 dev eth9: Link not found (Name: eth9)",
    });
    expect(network().everything()).toEqual(before);
  });

  test("without neighbours is refused", async () => {
    expect(await refusalOf(agent().client.call(method.addARPNeighbors, {}))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "empty add arp neighbours request",
    });
  });
});
