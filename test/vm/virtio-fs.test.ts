// The host's directory in a guest, by virtiofsd: what Kata's containers have their files in.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { AgentService, StorageSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import {
  TestContainer,
  createContainer,
  requestFor,
  startContainer,
} from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { makeRootfs } from "../support/rootfs.ts";
import { STATE } from "../support/storages.ts";
import { mountsOf } from "../support/vm-state.ts";
import { VirtioFsDevice, missingForVirtioFs } from "../support/vm-virtio-fs.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;
const SHARE = `${STATE}/shared/containers`;

const device = new VirtioFsDevice("kataShared");
beforeAll(() => device.start());
afterAll(() => device[Symbol.asyncDispose]());

const shared = {
  driver: "virtio-fs",
  source: "kataShared",
  fstype: "virtiofs",
  mountPoint: `${SHARE}/`,
};
const BRIEF_NS = 3_000_000_000n;

const why = missingForVirtioFs === undefined ? "" : ` (skipped: needs ${missingForVirtioFs})`;

describe.skipIf(why !== "")(`virtio-fs${why}`, () => {
  const options = { modules: ["virtiofs", "overlay"], devices: device.arguments };

  describeWithVm("A guest with the host's share", options, (vm) => {
    const shares = async () =>
      (await mountsOf(vm())).filter((line) => line.startsWith("virtiofs ")).length;

    beforeAll(async () => {
      mkdirSync(join(device.directory, "c1"));
      makeRootfs(join(device.directory, "c1/rootfs"));
      writeFileSync(join(device.directory, "c1-hosts"), "127.0.0.1 localhost\n");
      await vm().client.call(method.createSandbox, { sandboxId: "pod", storages: [shared] });
    });

    test("has it mounted once, whoever asks for it again", async () => {
      expect(await shares()).toBe(1);
      await vm().client.call(method.createSandbox, { sandboxId: "pod", storages: [shared] });
      const { containerId } = await createContainer(vm(), ["true"]);
      await vm().client.call(method.removeContainer, { containerId });
      expect(await shares()).toBe(1);
    });

    test("runs a container whose root and volumes are in it", async () => {
      const mounts = [
        { destination: "/etc/hosts", type: "bind", source: `${SHARE}/c1-hosts`, options: ["bind"] },
      ];
      const script = "cat /etc/hosts; echo from the guest > /written";
      await using container = await startContainer(vm(), ["sh", "-c", script], {
        rootfs: `${SHARE}/c1/rootfs`,
        mounts,
      });
      expect(await container.outcome()).toEqual({
        status: 0,
        stdout: "127.0.0.1 localhost\n",
        stderr: "",
      });
      expect(readFileSync(join(device.directory, "c1/rootfs/written"), "utf8")).toBe(
        "from the guest\n",
      );
    });

    test("runs a container with a volume of each kind, and keeps only what is the pod's", async () => {
      for (const name of ["watchable", "config"]) mkdirSync(join(device.directory, name));
      writeFileSync(join(device.directory, "config/key"), "value\n");
      const before = await mountsOf(vm());
      const memory = `${STATE}/sandbox/ephemeral/cache`;
      const volumes = {
        "/config": `${SHARE}/watchable/config`,
        "/cache": memory,
        "/data": `${STATE}/sandbox/local/data`,
        "/etc/hosts": `${STATE}/sandbox/hosts`,
      };
      const script = [
        "cat /config/key; stat -fc '%S %b' /cache; stat -c %a /data; cat /etc/hosts",
        "for file in /made /cache/made /data/made; do echo made > $file; cat $file; done",
      ].join("; ");
      const request = requestFor(vm(), ["sh", "-c", script], {
        rootfs: `${STATE}/merged`,
        mounts: Object.entries(volumes).map(([destination, source]) => ({
          destination,
          type: "bind",
          source,
          options: ["bind"],
        })),
      });
      request.storages.push(
        create(StorageSchema, {
          driver: "overlayfs",
          source: "overlay",
          fstype: "overlay",
          options: [`lowerdir=${SHARE}/c1/rootfs`, "io.katacontainers.fs-opt.overlay-rw"],
          mountPoint: `${STATE}/merged`,
        }),
        create(StorageSchema, {
          driver: "watchable-bind",
          source: `${SHARE}/config`,
          mountPoint: volumes["/config"],
        }),
        create(StorageSchema, {
          driver: "ephemeral",
          source: "tmpfs",
          fstype: "tmpfs",
          options: ["size=1048576"],
          mountPoint: memory,
        }),
        create(StorageSchema, {
          driver: "local",
          options: ["mode=0777"],
          mountPoint: volumes["/data"],
        }),
        create(StorageSchema, {
          driver: "bind",
          source: `${SHARE}/c1-hosts`,
          mountPoint: volumes["/etc/hosts"],
        }),
      );
      await vm().client.call(method.createContainer, request);
      {
        await using container = new TestContainer(vm().client, request.containerId, false);
        await container.start();
        const said = [
          "value",
          "4096 256",
          "777",
          "127.0.0.1 localhost",
          "made",
          "made",
          "made",
          "",
        ];
        expect(await container.outcome()).toEqual({
          status: 0,
          stdout: said.join("\n"),
          stderr: "",
        });
      }
      expect(existsSync(join(device.directory, "c1/rootfs/made"))).toBe(false);
      const added = (await mountsOf(vm())).filter((line) => !before.includes(line));
      expect(added.map((line) => line.split(" ").slice(0, 2))).toEqual([["tmpfs", memory]]);
    });

    test("says so where there is no device of that tag", async () => {
      const other = { ...shared, source: "other", mountPoint: `${STATE}/other` };
      const asked = vm().client.call(method.createSandbox, { storages: [other] });
      expect((await refusalOf(asked)).message).toBe(
        `mount virtiofs other on ${STATE}/other: EINVAL: Invalid argument`,
      );
    });

    test("answers while the host does not, and forgets what nobody waits for", async () => {
      mkdirSync(join(device.directory, "volume"));
      const before = await mountsOf(vm());
      device.pause(true);
      const request = requestFor(vm(), ["true"]);
      const volume = { driver: "local", options: ["mode=0777"], mountPoint: `${SHARE}/volume/x` };
      request.storages.push(create(StorageSchema, volume));
      const call = vm().client.call(method.createContainer, request, { timeoutNano: BRIEF_NS });
      for (let i = 0; i < 20; i++) await vm().client.call(Health.method.check, {});
      expect((await refusalOf(call)).code).toBe(Code.DEADLINE_EXCEEDED);
      device.pause(false);
      expect(await mountsOf(vm())).toEqual(before);
    });

    test("sees what the host adds later", async () => {
      await vm().client.call(method.removeStaleVirtiofsShareMounts, {});
      cpSync(join(device.directory, "c1-hosts"), join(device.directory, "again"));
      expect(await vm().sh(`cat ${SHARE}/again`)).toBe("127.0.0.1 localhost\n");
    });
  });
});
