// A volume of the host's on virtio-fs, which the agent watches for a container.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { startContainer } from "../support/container.ts";
import { VirtioFsDevice, missingForVirtioFs } from "../support/vm-virtio-fs.ts";
import { READER, publish } from "../support/watched-volume.ts";
import { describeWithVm } from "../support/with-vm.ts";

const SHARE = "/run/kata-containers/shared/containers";
const TAG = "kataShared";

const device = new VirtioFsDevice(TAG);
afterAll(() => device[Symbol.asyncDispose]());

const why = missingForVirtioFs === undefined ? "" : ` (skipped: needs ${missingForVirtioFs})`;

describe.skipIf(why !== "")(`A watched volume${why}`, () => {
  beforeAll(() => device.start());
  const options = { modules: ["virtiofs"], devices: device.arguments };

  describeWithVm("in a guest with a share of virtio-fs", options, (vm) => {
    const volume = join(device.directory, "volume");

    beforeAll(async () => {
      for (const name of ["volume", "watchable"]) mkdirSync(join(device.directory, name));
      const share = { driver: "virtio-fs", source: TAG, fstype: "virtiofs", mountPoint: SHARE };
      const request = { sandboxId: "pod", storages: [share] };
      await vm().client.call(AgentService.method.createSandbox, request);
    });

    test("is shown to a container in whole versions, and the host's is left alone", async () => {
      publish(volume, 0);
      const mountPoint = `${SHARE}/watchable/config`;
      const watched = { driver: "watchable-bind", source: `${SHARE}/volume`, mountPoint };
      const container = await startContainer(vm(), ["sh", "-c", READER], {
        request: { storages: [watched] },
        mounts: [
          { destination: "/volume", type: "bind", source: mountPoint, options: ["rbind", "ro"] },
        ],
      });
      await container.readUntil("version 0\n");
      expect(await vm().sh(`stat -f -c %T ${mountPoint}`)).toBe("tmpfs\n");
      for (let version = 1; version <= 3; version++) {
        publish(volume, version);
        expect(await container.readUntil(`version ${version}\n`)).not.toMatch(/torn|gone|missing/);
      }
      await container.remove();
      expect(readdirSync(volume).toSorted()).toEqual(["..3", "..data", "a", "b"]);
      expect(await vm().sh(`ls -A ${SHARE}/watchable`)).toBe("");
    });
  });
});
