// PCI functions in a guest with an IOMMU: passed on to containers, or driven by the guest's own kernel.
import { expect, test } from "bun:test";
import { type Wanted, createContainer, linesOf, startContainer } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { IOMMU, ROOT_PORTS } from "../support/vm-hotplug.ts";
import { addressBehind, plugFunction, waiting } from "../support/vm-plug.ts";
import { leavesGuestUnchanged } from "../support/vm-unchanged.ts";
import { describeWithVm } from "../support/with-vm.ts";

/** On the host. */
const HOST = ["0000:3b:00.0", "0000:3b:00.1"] as const;
const ENV = ["PATH=/bin", `PCIDEVICE_ONE=${HOST[0]}`, `PCIDEVICE_BOTH=${HOST.join(",")}`];
const SHOW = "echo $PCIDEVICE_ONE; echo $PCIDEVICE_BOTH";

const options = {
  hotplug: true,
  devices: IOMMU,
  modules: ["virtio_net", "vfio_pci", "vfio_iommu_type1"],
  words: ["intel_iommu=on", "agent.hotplug_timeout=5"],
};

const passedOn = (
  type: string,
  functions: readonly string[],
  paths = ["/dev/vfio/17"],
): Wanted => ({
  process: { Env: ENV },
  linux: { Devices: paths.map((Path) => ({ Path, Type: "c", Major: 240n, Minor: 1n })) },
  request: {
    devices: [{ id: "vfio", type, containerPath: "/dev/vfio/17", options: [...functions] }],
  },
});

describeWithVm("A guest with an IOMMU", options, (vm) => {
  const [ONE, TWO] = ROOT_PORTS;
  leavesGuestUnchanged(vm);

  test("passes a function on to a container, which opens its group", async () => {
    await using _ = await plugFunction(vm(), ONE);
    const script = `${SHOW}; ls /dev/vfio; exec 3<>/dev/vfio/* && echo opened`;
    const wanted = passedOn("vfio-pci", [`${HOST[0]}=${ONE.path}`]);
    const [one, both, group, opened] = await linesOf(vm(), script, wanted);
    const address = await addressBehind(vm(), ONE);
    // The other one is nobody's.
    expect([one, both, opened]).toEqual([address, HOST.join(","), "opened"]);
    const links = await vm().sh(
      `cd /sys/bus/pci/devices/${address}; basename $(readlink driver); basename $(readlink iommu_group)`,
    );
    expect(links).toBe(`vfio-pci\n${group}\n`);
  });

  test("waits for a function, and again finds it with its driver", async () => {
    const wanted = passedOn("vfio-pci", [`${HOST[0]}=${TWO.path}`]);
    const lines = linesOf(vm(), "ls /dev/vfio", wanted);
    await waiting(vm());
    await using _ = await plugFunction(vm(), TWO);
    expect(await lines).toEqual(await linesOf(vm(), "ls /dev/vfio", wanted));
  });

  test("passes a function on to two containers that ask for it at once", async () => {
    await using _ = await plugFunction(vm(), ONE);
    const wanted = passedOn("vfio-pci", [`${HOST[0]}=${ONE.path}`]);
    const ask = () => linesOf(vm(), "ls /dev/vfio", wanted);
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(one).toEqual([expect.stringMatching(/^\d+$/)]);
    expect(two).toEqual(one);
  });

  test("tells a container of functions that its own kernel drives, and each exec (D6)", async () => {
    await using _a = await plugFunction(vm(), ONE);
    await using _b = await plugFunction(vm(), TWO);
    const given = [`${HOST[0]}=${ONE.path}`, `${HOST[1]}=${TWO.path}`];
    const addresses = [await addressBehind(vm(), ONE), await addressBehind(vm(), TWO)];
    const wanted = passedOn("vfio-pci-gk", given, []);
    await using container = await startContainer(vm(), ["sh", "-c", `${SHOW}; sleep 1000`], wanted);
    const told = `${addresses[0]}\n${addresses.join(",")}\n`;
    expect(await container.readUntil(`${addresses.join(",")}\n`)).toBe(told);
    expect((await container.run(["sh", "-c", SHOW], { Env: ENV })).stdout).toBe(told);
    const driver = await vm().sh(`readlink /sys/bus/pci/devices/${addresses[0]}/driver`);
    expect(driver.trim()).toEndWith("/virtio-pci");
  });

  test("refuses a container whose function does not come", async () => {
    const wanted = passedOn("vfio-pci", [`${HOST[0]}=1e`]);
    expect((await refusalOf(createContainer(vm(), ["true"], wanted))).message).toBe(
      "Timeout after 5s waiting for uevent of the PCI function at /devices/pci0000:00/0000:00:1e.0",
    );
  });
});
