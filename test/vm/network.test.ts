// Interfaces that QEMU plugs into a guest that runs, set up by the agent, and what answers there.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { IPFamily } from "../../src/gen/types_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { updateInterface } from "../support/network.ts";
import { refusalOf } from "../support/refusal.ts";
import { BRIDGE, ROOT_PORTS } from "../support/vm-hotplug.ts";
import { plugInterface } from "../support/vm-plug.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const MAC = "02:00:00:00:00:01";

/** Of the network that QEMU plays: itself is the gateway, and answers pings. */
const NETWORK = { addresses: ["10.0.2.15/24", "fec0::15/64"], gateways: ["10.0.2.2", "fec0::2"] };

const options = {
  hotplug: true,
  modules: ["virtio_net"],
  words: ["agent.hotplug_timeout=10"],
};

describeWithVm("A guest into which interfaces are plugged", options, (vm) => {
  const [port, otherPort] = ROOT_PORTS;

  /** In a root port, or at a slot of the bridge. */
  const plug = (place: { readonly bus: string; readonly addr?: string }) =>
    plugInterface(vm(), { type: "user" }, { mac: MAC, ...place });

  const isAnswered = async (address: string) =>
    (await vm().sh(`busybox ping -c 1 -w 10 ${address} || true`)).includes("1 packets received");

  test("is waited for, named, given addresses and routes, and pinged through", async () => {
    const updated = updateInterface(vm(), {
      name: "pod0",
      hwAddr: MAC,
      devicePath: port.path,
      mtu: 1400n,
      addresses: NETWORK.addresses,
    });
    await using _ = await plug({ bus: port.bus });
    expect(await updated).toMatchObject({ name: "pod0", devicePath: port.path });
    const [v4 = "", v6 = ""] = NETWORK.gateways;
    await vm().client.call(method.updateRoutes, {
      routes: {
        Routes: [
          { device: "pod0", gateway: v4, source: "10.0.2.15" },
          { device: "pod0", gateway: v6, family: IPFamily.v6 },
        ],
      },
    });
    expect(await vm().sh("busybox ip addr show pod0")).toContain("mtu 1400");
    expect(await vm().sh("busybox ip route")).toContain("default via 10.0.2.2 dev pod0");
    for (const gateway of NETWORK.gateways) expect(await isAnswered(gateway)).toBe(true);

    const { Interfaces } = await vm().client.call(method.listInterfaces, {});
    expect(Interfaces.find(({ name }) => name === "pod0")).toMatchObject({
      hwAddr: MAC,
      mtu: 1400n,
    });
    expect(Interfaces.find(({ name }) => name === "lo")?.IPAddresses).toMatchObject([
      { address: "127.0.0.1" },
      { address: "::1" },
    ]);
  });

  test("is found where it is plugged in, and gets the hardware address that is said", async () => {
    await using _ = await plug({ bus: BRIDGE.bus, addr: "02" });
    const hwAddr = "02:aa:00:00:00:02";
    const devicePath = `${BRIDGE.path}/02`;
    const [address = ""] = NETWORK.addresses;
    await updateInterface(vm(), { name: "pod1", hwAddr, devicePath, addresses: [address] });
    expect(await vm().sh("cat /sys/class/net/pod1/address")).toBe(`${hwAddr}\n`);
    expect(await isAnswered("10.0.2.2")).toBe(true);
  });

  test("is found by its hardware address alone once it is there, and asked for again until then", async () => {
    const asked = { name: "pod2", hwAddr: MAC, addresses: NETWORK.addresses };
    const refusal = await refusalOf(updateInterface(vm(), asked));
    expect(refusal).toEqual({
      code: Code.INTERNAL,
      message: `update interface: Link not found (Address: ${MAC})`,
    });
    await using _ = await plug({ bus: otherPort.bus });
    await vm().sh("until test -e /sys/class/net/eth0; do sleep 0.1; done");
    await updateInterface(vm(), asked);
    expect(await isAnswered("10.0.2.2")).toBe(true);
  });

  test("that never comes is said to be none, as hosts look for", async () => {
    const asked = { name: "pod3", hwAddr: MAC, devicePath: ROOT_PORTS[2].path };
    const refusal = await refusalOf(updateInterface(vm(), asked));
    expect(refusal.code).toBe(Code.INTERNAL);
    expect(refusal.message).toMatch(/^Link not found: interface not available: .*10s/);
  });

  test("at a place that is none is refused", async () => {
    const asked = { name: "pod4", hwAddr: MAC, devicePath: "1f/99" };
    const refusal = await refusalOf(updateInterface(vm(), asked));
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    expect(refusal.message).toStartWith("Invalid PCI path for network interface: ");
  });
});
