// What containers have written, when a pod ends and its machine with it.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { startContainer } from "../support/container.ts";
import { TestVm } from "../support/vm.ts";
import { type DiskFile, makeExt4Disk } from "../support/vm-disk.ts";
import { BRIDGE } from "../support/vm-hotplug.ts";
import { plugDisk } from "../support/vm-plug.ts";
import { describeGuests } from "../support/with-vm.ts";

const { method } = AgentService;

const PLACE = "/run/kata-containers/sandbox/storage/data";
const SLOT = "01";
/** Written and acknowledged before the end, at least. */
const ACKNOWLEDGED = 50;

const options = {
  hotplug: true,
  modules: ["virtio_blk", "ext4"],
  words: ["agent.hotplug_timeout=10"],
};

const volume = {
  storages: [
    { driver: "blk", fstype: "ext4", source: `${BRIDGE.path}/${SLOT}`, mountPoint: PLACE },
  ],
};

/** Acknowledges each line that it has written, and never asks for it to be on the disk. */
const WRITER = `
i=0
while true; do
  i=$((i + 1))
  echo $i >>/data/lines
  echo $i
done`;

/** What a tool of e2fsprogs says of a disk that no guest uses any more. */
function run(tool: string, ...args: readonly string[]) {
  const PATH = `${Bun.env["PATH"]}:/usr/sbin:/sbin`;
  const { exitCode, stdout } = Bun.spawnSync([tool, ...args], { env: { ...Bun.env, PATH } });
  return { exitCode, stdout: stdout.toString() };
}

const linesOn = ({ path }: DiskFile) =>
  run("debugfs", "-R", "cat /lines", path).stdout.trimEnd().split("\n").map(Number);

describeGuests("What a container has written is on its volume", () => {
  test.each([
    ["the container is removed", "removeContainer"],
    ["the sandbox is destroyed", "destroySandbox"],
  ] as const)("once %s, though the machine is switched off at once", async (_, rpc) => {
    using disk = makeExt4Disk();
    {
      await using vm = await TestVm.boot(options);
      await vm.client.call(method.createSandbox, { sandboxId: "pod" });
      // The file is to be there when the guest is gone.
      const file = { path: disk.path, [Symbol.dispose]: () => {} };
      await plugDisk(vm, file, "virtio-blk-pci", { bus: BRIDGE.bus, addr: SLOT });
      const container = await startContainer(vm, ["sh", "-c", WRITER], {
        request: volume,
        mounts: [{ destination: "/data", type: "bind", source: PLACE, options: ["rbind", "rw"] }],
      });
      await container.readUntil(`\n${ACKNOWLEDGED}\n`);
      const { containerId } = container;
      await vm.client.call(method[rpc], rpc === "removeContainer" ? { containerId } : {});
    }
    expect(run("e2fsck", "-fn", disk.path)).toMatchObject({ exitCode: 0 });
    const lines = linesOn(disk);
    expect(lines.length).toBeGreaterThanOrEqual(ACKNOWLEDGED);
    expect(lines).toEqual(lines.map((_line, index) => index + 1));
  });
});
