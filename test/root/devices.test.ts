// Devices of this machine in containers, by requests and by documents of CDI.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code } from "../../src/ttrpc/code.ts";
import { type Wanted, createContainer, linesOf } from "../support/container.ts";
import { type LoopDisk, loopDisk } from "../support/loop-disk.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const NUMBER = "stat -c '%t:%T %a'";

describeWithAgent("a container with a disk of the guest", (agent) => {
  let disk: LoopDisk;
  beforeAll(() => {
    disk = loopDisk();
    writeFileSync(disk.path, "of the guest");
  });
  afterAll(() => disk[Symbol.dispose]());

  const withDisk = (change: object = {}): Wanted => ({
    linux: { Devices: [{ Path: "/dev/data", Type: "b", Major: 8n, Minor: 16n, FileMode: 0o640 }] },
    mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"] }],
    request: {
      devices: [{ type: "mmioblk", vmPath: disk.path, containerPath: "/dev/data", ...change }],
    },
  });

  test("reads and writes it, under the guest's number", async () => {
    const script = `head -c 12 /dev/data; echo; ${NUMBER} /dev/data; printf THE | dd of=/dev/data seek=3 bs=1 conv=notrunc 2>/dev/null; head -c 12 /dev/data; echo`;
    const minor = Number(disk.path.replace("/dev/loop", "")).toString(16);
    expect(await linesOf(agent(), script, withDisk())).toEqual([
      "of the guest",
      `7:${minor} 640`,
      "of THE guest",
    ]);
  });

  test("has it to itself", async () => {
    const minor = disk.path.replace("/dev/loop", "");
    const steal = `mknod /tmp/x b 7 ${minor}; { head -c 2 /tmp/x || true; } 2>&1`;
    expect(await linesOf(agent(), steal, withDisk())).toEqual(["of"]);
    const { mounts = [] } = withDisk();
    expect(await linesOf(agent(), steal, { mounts })).toEqual([
      expect.stringContaining("Operation not permitted"),
    ]);
  });

  test.each([
    ["of a kind that is none", { type: "disk" }, "Failed to find the device handler"],
    ["that is in another place of the spec", { containerPath: "/dev/x" }, "Missing devices in OCI"],
    ["that is no disk's path", { vmPath: "/dev/../etc" }, "is not the path of a disk in /dev"],
  ])("is refused one %s, and its id is free again", async (_, change, words) => {
    const wanted = { ...withDisk(change), id: "again" };
    expect((await refusalOf(createContainer(agent(), ["true"], wanted))).message).toContain(words);
    await using container = await createContainer(agent(), ["true"], { id: "again" });
    await container.start();
    expect(await container.wait()).toBe(0);
  });
});

describeWithAgent("a container with devices of CDI", (agent) => {
  const directory = () => `/proc/${agent().pid}/root/run/cdi`;
  beforeEach(() => {
    rmSync(directory(), { recursive: true, force: true });
    mkdirSync(directory());
  });

  function write(containerEdits: object): void {
    const path = join(directory(), "vendor.json");
    const devices = [{ name: "0", containerEdits }];
    const document = { cdiVersion: "0.6.0", kind: "vendor.com/gpu", devices };
    writeFileSync(`${path}.new`, JSON.stringify(document));
    renameSync(`${path}.new`, path);
  }

  const asking = (name = "vendor.com/gpu=0"): Wanted => ({
    spec: { Annotations: { "cdi.k8s.io/vfio17": name } },
  });

  const EDITS = {
    env: ["GPU=0"],
    deviceNodes: [{ path: "/dev/gpu/0", hostPath: "/dev/zero", fileMode: 0o644 }],
    mounts: [
      { hostPath: "/etc", containerPath: "/opt/gpu", options: ["ro", "bind", "nosuid", "nodev"] },
    ],
    hooks: [
      { hookName: "createRuntime", path: "/bin/sh", args: ["sh", "-c", "echo ran >/run/hook"] },
    ],
  };

  test("has what they want of it", async () => {
    write(EDITS);
    const script = `echo $GPU; ${NUMBER} /dev/gpu/0; head -c 1 /dev/gpu/0 | od -An -tx1; ls -d /opt/gpu/passwd`;
    expect(await linesOf(agent(), script, asking())).toEqual([
      "0",
      "1:5 644",
      " 00",
      "/opt/gpu/passwd",
    ]);
    expect(await Bun.file(`/proc/${agent().pid}/root/run/hook`).text()).toBe("ran\n");
  });

  test("waits for the document that says so", async () => {
    const lines = linesOf(agent(), "echo $GPU", asking());
    write({ env: ["GPU=later"] });
    expect(await lines).toEqual(["later"]);
  });

  test.each([
    ["that no document will bring", "vendor.com/gpu=1", Code.INTERNAL, "unresolvable CDI devices"],
    ["whose name is none", "gpu0", Code.INVALID_ARGUMENT, "cdi.k8s.io/vfio17"],
  ])("is refused one %s", async (_, name, code, words) => {
    write(EDITS);
    const refused = await refusalOf(createContainer(agent(), ["true"], asking(name)));
    expect(refused).toEqual({ code, message: expect.stringContaining(words) });
  });

  test("is refused one whose document is not as it has to be", async () => {
    write({ envs: ["A=b"] });
    const refused = await refusalOf(createContainer(agent(), ["true"], asking()));
    expect(refused.message).toContain(
      'vendor.json.devices[0].containerEdits: unknown field "envs"',
    );
  });
});
