// CDI devices in a container's spec, from documents in a directory.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { injectCdi } from "../../../src/device/cdi.ts";
import { requestedCdiDevices } from "../../../src/device/cdi-request.ts";
import { cdiText } from "../../../src/device/cdi-name.ts";
import { specFromJson } from "../../../src/oci/from-json.ts";
import { validateSpec } from "../../../src/oci/validate.ts";

const NEVER = new AbortController().signal;

type Json = Readonly<Record<string, unknown>>;

function specWith(annotations: Readonly<Record<string, string>>, change: Json = {}) {
  const config = {
    ociVersion: "1.2.0",
    root: { path: "/rootfs" },
    process: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 }, env: ["A=spec"] },
    linux: { namespaces: [{ type: "mount" }], devices: [] },
    annotations,
    ...change,
  };
  return validateSpec(specFromJson(JSON.stringify(config)));
}

const asking = (...names: readonly string[]) => specWith({ "cdi.k8s.io/vfio0": names.join(",") });

/** A document with one device. */
const gpu = (containerEdits: Json, more: Json = {}): Json => ({
  cdiVersion: "1.1.0",
  kind: "vendor.com/gpu",
  devices: [{ name: "0", containerEdits }],
  ...more,
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-cdi-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, document: Json | string): void {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  const text = typeof document === "string" ? document : JSON.stringify(document);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const inject = (spec = asking("vendor.com/gpu=0"), timeoutMs = 60_000, signal = NEVER) =>
  injectCdi(spec, { timeoutMs, heedsVariable: false, directory }, signal);

const ENV = { env: ["B=edit"] };

describe("the CDI devices that are asked for", () => {
  const requested = (annotations: Readonly<Record<string, string>>, env: string[] = []) => {
    const process = { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 }, env };
    return requestedCdiDevices(specWith(annotations, { process }), true).map(cdiText);
  };

  test("are in the annotations, each once, in the order of their keys", () => {
    const annotations = {
      "cdi.k8s.io/b": "vendor.com/gpu=1,vendor.com/gpu=0",
      "cdi.k8s.io/a": "vendor.com/gpu=0",
      "other.io/x": "no",
    };
    expect(requested(annotations)).toEqual(["vendor.com/gpu=0", "vendor.com/gpu=1"]);
  });

  test("are not the pod's own container's", () => {
    const type = { "io.katacontainers.pkg.oci.container_type": "pod_sandbox" };
    expect(requested({ ...type, "cdi.k8s.io/a": "vendor.com/gpu=0" })).toEqual([]);
  });

  test.each<[string, readonly string[]]>([
    [
      "nvidia.com/gpu=all : nvidia.com/ib=0, 1 ,2",
      ["nvidia.com/gpu=all", "nvidia.com/ib=0", "nvidia.com/ib=1", "nvidia.com/ib=2"],
    ],
    ["", []],
    [" none ", []],
    ["void", []],
  ])("are in the environment: %p", (value, names) => {
    expect(requested({}, [`VISIBLE_CDI_DEVICES=${value}`])).toEqual([...names]);
  });

  test.each([
    "nvidia.com/gpu",
    "=0",
    "nvidia.com/gpu=",
    "nvidia.com/gpu=0,",
    "nvidia.com/gpu=all,0",
    "nvidia.com/gpu=-1",
    "nvidia.com/gpu=4294967296",
    "gpu=0",
  ])("are not in the environment %p", (value) => {
    expect(() => requested({}, [`VISIBLE_CDI_DEVICES=${value}`])).toThrow("VISIBLE_CDI_DEVICES: ");
  });

  test.each(["", "gpu=0", "vendor.com/gpu", "vendor.com/gpu=", "1v/gpu=0", "v/g=0=1", "v/g=-"])(
    "have names, which %p is not",
    (name) => expect(() => requested({ "cdi.k8s.io/a": name })).toThrow("cdi.k8s.io/a: "),
  );

  test("are counted before they are looked at", () => {
    const message = "1025 CDI devices, 1024 are the most";
    const wrong = ",".repeat(1024);
    expect(() => requested({ "cdi.k8s.io/a": wrong })).toThrow(message);
    expect(() => requested({}, [`VISIBLE_CDI_DEVICES=nvidia.com/gpu=${wrong}`])).toThrow(message);
  });
});

describe("a CDI document", () => {
  test("changes nothing of a container that asks for none", async () => {
    write("broken.json", "{");
    const spec = specWith({});
    expect(await inject(spec)).toBe(spec);
  });

  test("gives a container all that a device wants", async () => {
    write(
      "vendor/gpu.YAML",
      `
cdiVersion: 1.1.0
kind: vendor.com/gpu
containerEdits:
  env: [B=all, C=all]
devices:
  - name: "0"
    containerEdits:
      env: [B=zero]
      deviceNodes:
        - { path: /dev/gpu0, hostPath: /dev/null, permissions: rw }
        - { path: /dev/gpu1, type: b, major: 240, minor: 7, fileMode: 0o640, uid: 3, gid: 4 }
        - { path: /dev/gpu2, type: c, major: 240, permissions: none }
      mounts:
        - { hostPath: /usr/lib/gpu, containerPath: /lib/gpu, options: [ro, bind] }
      hooks:
        - { hookName: createContainer, path: /usr/bin/hook, args: [hook, update], timeout: 5 }
      additionalGids: [44, 0, 44]
  - name: "1"
    containerEdits: { env: [D=one] }
`,
    );
    const spec = await inject(asking("vendor.com/gpu=1", "vendor.com/gpu=0"));
    expect(spec.process.env).toEqual(["A=spec", "B=zero", "C=all", "D=one"]);
    expect(spec.process.user.additionalGids).toEqual([44]);
    expect(spec.linux.devices).toEqual([
      { path: "/dev/gpu0", type: "c", major: 1, minor: 3 },
      { path: "/dev/gpu1", type: "b", major: 240, minor: 7, fileMode: 0o640, uid: 3, gid: 4 },
      { path: "/dev/gpu2", type: "c", major: 240, minor: 0 },
    ]);
    expect(spec.linux.resources?.devices).toEqual([
      { allow: true, type: "c", major: 1, minor: 3, access: "rw" },
      { allow: true, type: "b", major: 240, minor: 7, access: "rwm" },
      { allow: true, type: "c", major: 240, minor: 0, access: "" },
    ]);
    expect(spec.mounts).toEqual([
      { destination: "/lib/gpu", source: "/usr/lib/gpu", options: ["ro", "bind"] },
    ]);
    expect(spec.hooks?.createContainer).toEqual([
      { path: "/usr/bin/hook", args: ["hook", "update"], timeout: 5 },
    ]);
  });

  test("takes the place of what the spec has at the same paths", async () => {
    const mount = { hostPath: "/new", containerPath: "/lib/gpu", options: ["bind"] };
    write("gpu.json", gpu({ deviceNodes: [{ path: "/dev/null" }], mounts: [mount] }));
    const change = {
      process: { args: ["true"], cwd: "/", user: { uid: 1000, gid: 1001 } },
      mounts: [{ destination: "/lib/gpu", source: "/old", options: ["bind"] }],
      linux: {
        namespaces: [{ type: "mount" }],
        devices: [{ path: "/dev/null", type: "c", major: 240, minor: 0 }],
      },
    };
    const spec = await inject(specWith({ "cdi.k8s.io/x": "vendor.com/gpu=0" }, change));
    expect(spec.mounts).toEqual([{ destination: "/lib/gpu", source: "/new", options: ["bind"] }]);
    expect(spec.linux.devices).toEqual([
      { path: "/dev/null", type: "c", major: 1, minor: 3, uid: 1000, gid: 1001 },
    ]);
  });

  test("is waited for, and read when it is whole", async () => {
    const injected = inject();
    await Bun.sleep(10);
    write("gpu.json", gpu(ENV));
    expect((await injected).process.env).toEqual(["A=spec", "B=edit"]);
  });

  test("may be a link, and others beside it are passed over", async () => {
    write("elsewhere/gpu.txt", gpu(ENV));
    write("README", "{");
    symlinkSync(join(directory, "elsewhere/gpu.txt"), join(directory, "gpu.json"));
    symlinkSync("/nowhere", join(directory, "dangling.json"));
    symlinkSync(directory, join(directory, "loop"));
    expect((await inject()).process.env).toContain("B=edit");
  });
});

describe("a container without its CDI devices is refused", () => {
  test("when the document does not come in time", async () => {
    write("other.json", gpu(ENV, { kind: "other.com/gpu" }));
    await expect(inject(undefined, 20)).rejects.toThrow(
      "failed to inject devices after CDI timeout of 0.02 seconds",
    );
  });

  test("with its caller, when that goes away", async () => {
    const caller = new AbortController();
    const injected = inject(undefined, 60_000, caller.signal);
    await Bun.sleep(5);
    caller.abort(new Error("gone"));
    await expect(injected).rejects.toThrow("gone");
  });

  test("at once where the others of its kind are there", async () => {
    write("gpu.json", gpu(ENV));
    await expect(inject(asking("vendor.com/gpu=0", "vendor.com/gpu=7"))).rejects.toThrow(
      "unresolvable CDI devices vendor.com/gpu=7",
    );
  });

  test("at once where two documents have the device", async () => {
    for (const name of ["a.json", "b.json"]) write(name, gpu(ENV));
    await expect(inject()).rejects.toThrow("CDI device vendor.com/gpu=0 is in two documents");
  });

  const edit = (containerEdits: Json) => gpu(containerEdits);
  test.each<[string, Json | string]>([
    ["JSON Parse error", "{"],
    ["devices: expected an array of devices", gpu({}, { devices: undefined })],
    ["has no devices", gpu({}, { devices: [] })],
    ['"0" changes nothing', edit({})],
    ['unknown field "nodes"', edit({ nodes: [] })],
    ['unknown field "extra"', gpu(ENV, { extra: 1 })],
    ['unknown CDI version "2.0.0"', gpu(ENV, { cdiVersion: "2.0.0" })],
    ["cdiVersion: expected a string", gpu(ENV, { cdiVersion: 1 })],
    ["is no kind of CDI devices", gpu(ENV, { kind: "gpu" })],
    ["has what CDI 0.3.0 does not have and 0.5.0 has", gpu(ENV, { cdiVersion: "0.3.0" })],
    [
      "has what CDI 0.6.0 does not have and 0.7.0 has",
      { ...edit({ additionalGids: [1] }), cdiVersion: "0.6.0" },
    ],
    ["env: expected an array of strings", edit({ env: "A=b" })],
    ['invalid CDI hook: "before"', edit({ hooks: [{ hookName: "before", path: "/x" }] })],
    ["is of type c, not b", edit({ deviceNodes: [{ path: "/dev/null", type: "b" }] })],
    ["doesn't exist", edit({ deviceNodes: [{ path: "/dev/nowhere" }] })],
    ["is not a valid device path", edit({ deviceNodes: [{ path: "/x", hostPath: "/dev/null" }] })],
    ["the mount destination", edit({ mounts: [{ hostPath: "/x", containerPath: "/a/../.." }] })],
    ["linux.netDevices", edit({ netDevices: [{ hostInterfaceName: "eth0", name: "eth0" }] })],
    ["linux.intelRdt.closID", edit({ intelRdt: { closID: "x" } })],
    ["access", edit({ deviceNodes: [{ path: "/dev/null", permissions: "all" }] })],
  ])("at once: %s", async (words, document) => {
    write("gpu.json", document);
    await expect(inject()).rejects.toThrow(words);
  });
});
