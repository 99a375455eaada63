// Specs and processes that the agent refuses before it does anything for them: rpc.md sections 6.3,
// 6.5, 7 and 11.1.
import { afterEach, describe, expect, test } from "bun:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { readdirSync } from "node:fs";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import type { LinuxSchema, ProcessSchema, SpecSchema } from "../../../src/gen/oci_pb.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import { Api, type Refusal } from "./call.ts";

type LinuxInit = Exclude<MessageInitShape<typeof LinuxSchema>, { $typeName: string }>;
type ProcessInit = Exclude<MessageInitShape<typeof ProcessSchema>, { $typeName: string }>;
type SpecInit = Exclude<MessageInitShape<typeof SpecSchema>, { $typeName: string }>;

const { createContainer, execProcess } = AgentService.method;

const PROCESS: ProcessInit = { Args: ["true"], Cwd: "/" };
const LINUX: LinuxInit = { Namespaces: [{ Type: "mount" }] };
const SPEC: SpecInit = { Process: PROCESS, Root: { Path: "/rootfs" }, Linux: LINUX };

const { Process: _process, ...WITHOUT_PROCESS } = SPEC;
const { Root: _root, ...WITHOUT_ROOT } = SPEC;
const { Linux: _linux, ...WITHOUT_LINUX } = SPEC;

const withLinux = (linux: LinuxInit): SpecInit => ({ ...SPEC, Linux: { ...LINUX, ...linux } });
const withProcess = (process: ProcessInit): SpecInit => ({
  ...SPEC,
  Process: { ...PROCESS, ...process },
});

function create(OCI: SpecInit, containerId = "c1"): Promise<Refusal> {
  return new Api().refusal(createContainer, { containerId, OCI });
}

function bundles(): readonly string[] {
  try {
    return readdirSync("/run/kata-containers");
  } catch {
    return ["there is no such directory"];
  }
}

const before = bundles();

afterEach(() => {
  expect(bundles()).toEqual(before);
});

describe("an id", () => {
  test.each(["", "a", "..", ".a", "-a", "a/b", "../c1", "a\0b", "a b", "x".repeat(10_240)])(
    "that is no plain file name makes no container: %j",
    async (id) => {
      const { code, message } = await create(SPEC, id);
      expect(code).toBe(Code.INVALID_ARGUMENT);
      expect(message).toStartWith("invalid container ID ");
      expect(message.length).toBeLessThan(300);
    },
  );

  test.each(["", "e\0", "x".repeat(10_240)])(
    "that could not be asked for again makes no exec: %j",
    async (execId) => {
      const { code, message } = await new Api().refusal(execProcess, {
        containerId: "c1",
        execId,
        process: PROCESS,
      });
      expect(code).toBe(Code.INVALID_ARGUMENT);
      expect(message).toStartWith("invalid exec ID ");
      expect(message.length).toBeLessThan(300);
    },
  );
});

describe("a request", () => {
  test("without a spec is refused", async () => {
    expect(await new Api().refusal(createContainer, { containerId: "c1" })).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "the request has no OCI spec",
    });
  });

  test("without a process to execute is refused", async () => {
    expect(await new Api().refusal(execProcess, { containerId: "c1", execId: "e1" })).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "Unable to parse process from ExecProcessRequest",
    });
  });

  test.each<[string, SpecInit, string]>([
    ["process", WITHOUT_PROCESS, "oci process is none"],
    ["root", WITHOUT_ROOT, "oci root is none"],
    ["linux", WITHOUT_LINUX, "oci Linux is none"],
    ["arguments", withProcess({ Args: [] }), "process.args is empty"],
    ["directory to start in", withProcess({ Cwd: "" }), 'process.cwd "" is not an absolute path'],
    [
      "path of the root",
      { ...SPEC, Root: {} },
      'rootfs: root path "" is empty or the guest\'s root',
    ],
  ])("whose spec has no %s is refused", async (_, spec, message) => {
    expect(await create(spec)).toEqual({ code: Code.INVALID_ARGUMENT, message });
  });

  test("whose spec asks for no mount namespace is refused", async () => {
    expect(await create(withLinux({ Namespaces: [{ Type: "ipc" }] }))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "linux.namespaces: a container needs a mount namespace",
    });
  });
});

const NOPE = '"nope"';
const RULE = { Names: ["read"], Action: "SCMP_ACT_ALLOW" };
const FILTER = { DefaultAction: "SCMP_ACT_ALLOW" };

describe("a word that the OCI spec does not know is refused, by the name of its field:", () => {
  test.each<[string, SpecInit]>([
    ["linux.namespaces[1].type", withLinux({ Namespaces: [{ Type: "mount" }, { Type: "nope" }] })],
    ["linux.devices[0].type", withLinux({ Devices: [{ Path: "/dev/x", Type: "nope" }] })],
    ["linux.rootfsPropagation", withLinux({ RootfsPropagation: "nope" })],
    ["linux.seccomp.defaultAction", withLinux({ Seccomp: { DefaultAction: "nope" } })],
    ["linux.seccomp.architectures", withLinux({ Seccomp: { ...FILTER, Architectures: ["nope"] } })],
    ["linux.seccomp.flags", withLinux({ Seccomp: { ...FILTER, Flags: ["nope"] } })],
    [
      "linux.seccomp.syscalls[0].action",
      withLinux({ Seccomp: { ...FILTER, Syscalls: [{ ...RULE, Action: "nope" }] } }),
    ],
    [
      "linux.seccomp.syscalls[0].args[0].op",
      withLinux({ Seccomp: { ...FILTER, Syscalls: [{ ...RULE, Args: [{ Op: "nope" }] }] } }),
    ],
    ["process.rlimits[0].type", withProcess({ Rlimits: [{ Type: "nope", Hard: 1n, Soft: 1n }] })],
    ...(["Bounding", "Effective", "Inheritable", "Permitted", "Ambient"] as const).map(
      (set): [string, SpecInit] => [
        `process.capabilities.${set.toLowerCase()}`,
        withProcess({ Capabilities: { [set]: ["nope"] } }),
      ],
    ),
  ])("%s", async (field, spec) => {
    expect(await create(spec)).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: `invalid ${field}: ${NOPE}`,
    });
  });

  test("also in an exec", async () => {
    const process = { ...PROCESS, Rlimits: [{ Type: "nope" }] };
    const request = { containerId: "c1", execId: "e1", process };
    expect(await new Api().refusal(execProcess, request)).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: `invalid process.rlimits[0].type: ${NOPE}`,
    });
  });
});

describe("a path that would leave its place is refused:", () => {
  test.each<[string, SpecInit]>([
    ["a mount on '..'", { ...SPEC, Mounts: [{ destination: "/a/../../b", type: "tmpfs" }] }],
    ["a mount over the root", { ...SPEC, Mounts: [{ destination: "//.", type: "tmpfs" }] }],
    ["a masked path with '..'", withLinux({ MaskedPaths: ["/proc/../x"] })],
    ["a read-only path that is relative", withLinux({ ReadonlyPaths: ["proc/sys"] })],
    ["a device outside /dev", withLinux({ Devices: [{ Path: "/etc/x", Type: "c" }] })],
    ["a cgroup above all others", withLinux({ CgroupsPath: "/../x" })],
    ["a sysctl above all others", withLinux({ Sysctl: { "net/../kernel/x": "1" } })],
    ["a root that is the guest's", { ...SPEC, Root: { Path: "/./" } }],
  ])("%s", async (_, spec) => {
    expect((await create(spec)).code).toBe(Code.INVALID_ARGUMENT);
  });
});

describe("a device that cannot be had is refused by name:", () => {
  const refused = (device: object) =>
    new Api().refusal(createContainer, { containerId: "c1", OCI: SPEC, devices: [device] });

  test("one of a kind that no guest knows", async () => {
    expect(await refused({ id: "1", type: "floppy", containerPath: "/dev/fd0" })).toEqual({
      code: Code.INTERNAL,
      message: 'Failed to find the device handler "floppy"',
    });
  });

  test("one whose address is none", async () => {
    expect(await refused({ id: "02/zz", type: "blk", containerPath: "/dev/sda" })).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: '"02/zz" is no PCI path',
    });
  });

  test("one that does not come", async () => {
    expect(await refused({ id: "1e", type: "blk", containerPath: "/dev/sda" })).toEqual({
      code: Code.INTERNAL,
      message: expect.stringMatching(
        /^Timeout after 0.05s waiting for uevent of the disk at .*1e.0$/,
      ),
    });
  });
});

describe("storages and shared mounts are refused before anything is done:", () => {
  test.each([
    ["storages: the mount point", { storages: [{ driver: "local", mountPoint: "/etc/x" }] }],
    [
      "storages: 1000 of them",
      { storages: Array.from({ length: 1000 }, () => ({ driver: "local" })) },
    ],
    [
      "shared mounts: 65 of them",
      { sharedMounts: Array.from({ length: 65 }, () => ({ name: "x" })) },
    ],
    ['the shared mount "x": "a" is no', { sharedMounts: [{ name: "x", srcPath: "a" }] }],
  ])("%s", async (words, request) => {
    const asked = { containerId: "c1", OCI: SPEC, ...request };
    const { code, message } = await new Api().refusal(createContainer, asked);
    expect([code, message]).toEqual([Code.INVALID_ARGUMENT, expect.stringContaining(words)]);
  });

  test("by a driver that is not there", async () => {
    const storages = [{ driver: "9p", mountPoint: "/run/kata-containers/x" }];
    const asked = { containerId: "c1", OCI: SPEC, storages };
    expect(await new Api().refusal(createContainer, asked)).toEqual({
      code: Code.INTERNAL,
      message: "Failed to find the storage handler 9p",
    });
  });
});

describe("what is not served yet is UNIMPLEMENTED, by name:", () => {
  test.each<[string, SpecInit]>([
    [
      "an option of the mount /x",
      { ...SPEC, Mounts: [{ destination: "/x", source: "/y", options: ["bind", "copy-symlink"] }] },
    ],
  ])("CreateContainer: %s", async (what, spec) => {
    expect(await create(spec)).toEqual({
      code: Code.UNIMPLEMENTED,
      message: `CreateContainer: ${what}`,
    });
  });
});
