// A volume of the host's on virtio-fs, which the agent watches for a container.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { startContainer } from "../support/container.ts";
import { Virtiofsd, missingVirtiofsd } from "../support/virtiofsd.ts";
import { TestVm } from "../support/vm.ts";
import { missingFor } from "../support/vm-machine.ts";
import { READER, publish } from "../support/watched-volume.ts";

const SHARE = "/run/kata-containers/shared/containers";
const TAG = "kataShared";
const MEGABYTES = 1024;
const PATIENCE_MS = 300_000;

setDefaultTimeout(PATIENCE_MS);

const missing = missingFor() ?? missingVirtiofsd;
const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`A guest with a share of virtio-fs${why}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-share-"));
  const shared = join(directory, "shared");
  const volume = join(shared, "volume");
  const stack = new AsyncDisposableStack();
  let vm: TestVm | undefined;

  beforeAll(async () => {
    for (const path of [volume, join(shared, "watchable")]) mkdirSync(path, { recursive: true });
    stack.defer(() => rmSync(directory, { recursive: true }));
    const daemon = stack.use(await Virtiofsd.start(shared, directory, TAG, MEGABYTES));
    vm = stack.use(
      await TestVm.boot({ modules: ["virtiofs"], devices: daemon.arguments, megabytes: MEGABYTES }),
    );
    const share = { driver: "virtio-fs", source: TAG, fstype: "virtiofs", mountPoint: SHARE };
    const request = { sandboxId: "pod", storages: [share] };
    await vm.client.call(AgentService.method.createSandbox, request);
  });
  afterAll(() => stack.disposeAsync());

  test("shows a container each version of a volume whole, and leaves the host's alone", async () => {
    if (vm === undefined) throw new Error("there is no guest");
    publish(volume, 0);
    const mountPoint = `${SHARE}/watchable/config`;
    const watched = { driver: "watchable-bind", source: `${SHARE}/volume`, mountPoint };
    const container = await startContainer(vm, ["sh", "-c", READER], {
      request: { storages: [watched] },
      mounts: [
        { destination: "/volume", type: "bind", source: mountPoint, options: ["rbind", "ro"] },
      ],
    });
    await container.readUntil("version 0\n");
    expect(await vm.sh(`stat -f -c %T ${mountPoint}`)).toBe("tmpfs\n");
    for (let version = 1; version <= 3; version++) {
      publish(volume, version);
      expect(await container.readUntil(`version ${version}\n`)).not.toMatch(/torn|gone|missing/);
    }
    await container.remove();
    expect(readdirSync(volume).toSorted()).toEqual(["..3", "..data", "a", "b"]);
    expect(await vm.sh(`ls -A ${SHARE}/watchable`)).toBe("");
  });
});
