import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "bun:test";
import {
  LinuxResourcesSchema,
  ProcessSchema,
  type Spec as ProtoSpec,
  SpecSchema,
} from "../../../src/gen/oci_pb.ts";
import { processFromProto } from "../../../src/oci/from-proto-process.ts";
import { resourcesFromProto } from "../../../src/oci/from-proto-resources.ts";
import { specFromProto } from "../../../src/oci/from-proto.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import { validateSpec } from "../../../src/oci/validate.ts";

type Init = NonNullable<Parameters<typeof create<typeof SpecSchema>>[1]>;
type ResourcesInit = NonNullable<Parameters<typeof create<typeof LinuxResourcesSchema>>[1]>;
type ProcessInit = NonNullable<Parameters<typeof create<typeof ProcessSchema>>[1]>;

/** Over the wire and back, as a request comes. */
function received(init: Init): ProtoSpec {
  return fromBinary(SpecSchema, toBinary(SpecSchema, create(SpecSchema, init)));
}

const spec = (init: Init) => specFromProto(received(init));
const resources = (init: ResourcesInit) => resourcesFromProto(create(LinuxResourcesSchema, init));
const processOf = (init: ProcessInit) => processFromProto(create(ProcessSchema, init));

const seccomp = (change: object): Init => ({
  Linux: { Seccomp: { DefaultAction: "SCMP_ACT_ALLOW", ...change } },
});
const rule = (change: object) =>
  seccomp({ Syscalls: [{ Names: ["a"], Action: "SCMP_ACT_LOG", ...change }] });

describe("presence", () => {
  test("a message without sub-messages has no process, root, linux or hooks", () => {
    const { process, root, linux, hooks } = spec({ Version: "1.2.0" });
    expect([process, root, linux, hooks]).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("sub-messages that are sent empty are present and hold nothing made up", () => {
    expect(spec({ Process: {}, Root: {}, Linux: {}, Hooks: {} })).toEqual({
      ociVersion: "",
      process: {
        terminal: false,
        user: { uid: 0, gid: 0, additionalGids: [] },
        args: [],
        cwd: "",
        noNewPrivileges: false,
      },
      root: { path: "", readonly: false },
      hooks: {},
      linux: {},
    });
  });

  test("an empty args list stays empty", () => {
    expect(processOf({ Args: [] }).args).toEqual([]);
  });

  test("empty lists and empty text are absent", () => {
    const { mounts, hostname, annotations, linux } = spec({
      Linux: { MountLabel: "", Sysctl: {} },
    });
    expect([mounts, hostname, annotations]).toEqual([undefined, undefined, undefined]);
    expect([linux?.mountLabel, linux?.sysctl, linux?.devices]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("an absent capabilities message is not the same as empty sets", () => {
    expect(processOf({}).capabilities).toBeUndefined();
    expect(processOf({ Capabilities: {} }).capabilities).toEqual({
      bounding: [],
      effective: [],
      inheritable: [],
      permitted: [],
      ambient: [],
    });
  });

  test("an oom score of 0 is not set, a negative one is kept", () => {
    expect(processOf({ OOMScoreAdj: 0n }).oomScoreAdj).toBeUndefined();
    expect(processOf({ OOMScoreAdj: -998n }).oomScoreAdj).toBe(-998);
  });

  test("the mode and owner of a device are taken as sent, zeros too", () => {
    const { linux } = spec({ Linux: { Devices: [{ Path: "/dev/a", Type: "c", Major: 10n }] } });
    expect(linux?.devices).toEqual([
      { path: "/dev/a", type: "c", major: 10, minor: 0, fileMode: 0, uid: 0, gid: 0 },
    ]);
  });
});

describe("content", () => {
  test("a process is carried over whole", () => {
    expect(
      processOf({
        Terminal: true,
        ConsoleSize: { Height: 24, Width: 80 },
        User: { UID: 1000, GID: 1001, AdditionalGids: [5, 6], Username: "u" },
        Args: ["sh", "-c", ""],
        Env: ["A= b ", "A=c", "no-equals"],
        Cwd: "/srv",
        Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: 2n ** 64n - 1n, Soft: 1024n }],
        NoNewPrivileges: true,
        ApparmorProfile: "p",
        SelinuxLabel: "l",
      }),
    ).toEqual({
      terminal: true,
      consoleSize: { height: 24, width: 80 },
      user: { uid: 1000, gid: 1001, additionalGids: [5, 6], username: "u" },
      args: ["sh", "-c", ""],
      env: ["A= b ", "A=c", "no-equals"],
      cwd: "/srv",
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 2n ** 64n - 1n, soft: 1024n }],
      noNewPrivileges: true,
      apparmorProfile: "p",
      selinuxLabel: "l",
    });
  });

  test.each(["CAP_NET_RAW", "NET_RAW", '"CAP_NET_RAW"', '"NET_RAW"'])(
    "a capability is understood when written %s",
    (name) => {
      expect(processOf({ Capabilities: { Ambient: [name] } }).capabilities?.ambient).toEqual([
        "CAP_NET_RAW",
      ]);
    },
  );

  test.each([
    ["mnt", "mount"],
    ["mount", "mount"],
    ["net", "network"],
    ["network", "network"],
    ["pid", "pid"],
    ["ipc", "ipc"],
    ["uts", "uts"],
    ["user", "user"],
    ["cgroup", "cgroup"],
    ["time", "time"],
  ])("the namespace type %s reads as %s", (sent, read) => {
    expect(spec({ Linux: { Namespaces: [{ Type: sent }] } }).linux?.namespaces).toEqual([
      expect.objectContaining({ type: read }),
    ]);
  });

  test("a namespace with a path is one to join, without one it is new", () => {
    const Namespaces = [{ Type: "ipc", Path: "/run/ns/ipc" }, { Type: "uts" }];
    expect(spec({ Linux: { Namespaces } }).linux?.namespaces).toEqual([
      { type: "ipc", path: "/run/ns/ipc" },
      { type: "uts", path: undefined },
    ]);
  });

  test("id mappings keep container and host ids apart", () => {
    const UIDMappings = [{ HostID: 100000, ContainerID: 0, Size: 65536 }];
    expect(spec({ Linux: { UIDMappings } }).linux?.uidMappings).toEqual([
      { containerID: 0, hostID: 100000, size: 65536 },
    ]);
  });

  test("a hook's timeout is kept only above zero and its empty lists are absent", () => {
    const { hooks } = spec({
      Hooks: {
        Prestart: [{ Path: "/a", Timeout: 5n, Args: ["a", "b"], Env: ["X=y"] }],
        CreateRuntime: [{ Path: "/b", Timeout: -1n }],
      },
    });
    expect(hooks).toEqual({
      prestart: [{ path: "/a", args: ["a", "b"], env: ["X=y"], timeout: 5 }],
      createRuntime: [{ path: "/b" }],
    });
  });

  test("the seccomp profile keeps full 64-bit argument values", () => {
    const Args = [
      { Index: 1n, Value: 2n ** 64n - 1n, ValueTwo: 2n ** 63n, Op: "SCMP_CMP_MASKED_EQ" },
    ];
    const { linux } = spec({
      Linux: {
        Seccomp: {
          DefaultAction: "SCMP_ACT_ERRNO",
          Architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
          Flags: ["SECCOMP_FILTER_FLAG_LOG"],
          Syscalls: [{ Names: ["clone"], Action: "SCMP_ACT_ALLOW", Args }],
        },
      },
    });
    expect(linux?.seccomp).toEqual({
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
      flags: ["SECCOMP_FILTER_FLAG_LOG"],
      syscalls: [
        {
          names: ["clone"],
          action: "SCMP_ACT_ALLOW",
          args: [
            { index: 1, value: 2n ** 64n - 1n, valueTwo: 2n ** 63n, op: "SCMP_CMP_MASKED_EQ" },
          ],
        },
      ],
    });
  });
});

describe("resources", () => {
  test("a limit of 0 is not set and a limit of -1 is kept", () => {
    expect(
      resources({ Memory: { Limit: 0n, Swap: -1n, Reservation: 4096n, Kernel: -7n } }).memory,
    ).toEqual({
      swap: -1,
      reservation: 4096,
      kernel: -1,
      disableOOMKiller: false,
    });
    expect(resources({ CPU: { Quota: -1n, Period: 100_000n, Shares: 0n } }).cpu).toEqual({
      quota: -1,
      period: 100_000,
    });
  });

  test("a size past 2^53 is cut to it, for hosts that send the largest number as no limit", () => {
    const { memory, hugepageLimits } = resources({
      Memory: { Limit: 2n ** 63n - 1n },
      HugepageLimits: [{ Pagesize: "2MB", Limit: 2n ** 64n - 1n }],
    });
    expect(memory?.limit).toBe(Number.MAX_SAFE_INTEGER);
    expect(hugepageLimits).toEqual([{ pageSize: "2MB", limit: Number.MAX_SAFE_INTEGER }]);
  });

  test("absent messages stay absent", () => {
    expect(resources({})).toEqual({});
  });

  test.each([
    ["-1 and -1", -1n, -1n, undefined, undefined],
    ["two zeros", 0n, 0n, undefined, undefined],
    ["a major and -1", 8n, -1n, 8, undefined],
    ["a major and the minor 0", 8n, 0n, 8, 0],
    ["any major and a minor", -1n, 3n, undefined, 3],
  ])("a device rule with %s matches what it says", (_, Major, Minor, major, minor) => {
    const { devices } = resources({
      Devices: [{ Allow: true, Type: "b", Major, Minor, Access: "rw" }],
    });
    expect(devices).toEqual([{ allow: true, type: "b", major, minor, access: "rw" }]);
  });

  test("a device rule without a type is for all devices", () => {
    expect(resources({ Devices: [{ Allow: false }] }).devices).toEqual([
      { allow: false, type: "a" },
    ]);
  });

  test("block io, network and hugepage limits are carried over", () => {
    expect(
      resources({
        BlockIO: {
          Weight: 500,
          WeightDevice: [{ Major: 8n, Minor: 0n, Weight: 300 }],
          ThrottleReadBpsDevice: [{ Major: 8n, Minor: 16n, Rate: 1n }],
          ThrottleWriteBpsDevice: [{ Major: 8n, Minor: 16n, Rate: 2n }],
          ThrottleReadIOPSDevice: [{ Major: 8n, Minor: 16n, Rate: 3n }],
          ThrottleWriteIOPSDevice: [{ Major: 8n, Minor: 16n, Rate: 0n }],
        },
        Network: { ClassID: 7, Priorities: [{ Name: "eth0", Priority: 2 }] },
      }),
    ).toEqual({
      blockIO: {
        weight: 500,
        weightDevice: [{ major: 8, minor: 0, weight: 300 }],
        throttleReadBpsDevice: [{ major: 8, minor: 16, rate: 1 }],
        throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 2 }],
        throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 3 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 0 }],
      },
      network: { classID: 7, priorities: [{ name: "eth0", priority: 2 }] },
    });
  });
});

describe("errors of upstream that are not repeated", () => {
  test("D1: a pids limit is honoured when it is sent and left alone when it is not", () => {
    expect(resources({ Pids: { Limit: 100n } }).pids).toEqual({ limit: 100 });
    expect(resources({}).pids).toBeUndefined();
  });

  test.each([
    ["0", 0n],
    ["-1", -1n],
  ])("D1: a pids limit of %s is no limit", (_, Limit) => {
    expect(resources({ Pids: { Limit } }).pids).toEqual({ limit: -1 });
  });

  test.each([
    ["absent", undefined, undefined],
    ["0", { case: "errnoret", value: 0 } as const, undefined],
    ["38", { case: "errnoret", value: 38 } as const, 38],
  ])(
    "D2: an errno of a seccomp rule that is %s does not make the call succeed",
    (_, sent, read) => {
      const errno = { Names: ["mkdir"], Action: "SCMP_ACT_ERRNO" };
      const Syscalls = [sent === undefined ? errno : { ...errno, ErrnoRet: sent }];
      const { linux } = spec({ Linux: { Seccomp: { DefaultAction: "SCMP_ACT_ALLOW", Syscalls } } });
      expect(linux?.seccomp?.syscalls?.[0]?.errnoRet).toBe(read);
    },
  );

  test("D3: poststop hooks are the poststop list, not the poststart list", () => {
    const { hooks } = spec({
      Hooks: { Poststart: [{ Path: "/start" }], Poststop: [{ Path: "/stop" }] },
    });
    expect(hooks?.poststart).toEqual([{ path: "/start" }]);
    expect(hooks?.poststop).toEqual([{ path: "/stop" }]);
    expect(spec({ Hooks: { Poststart: [{ Path: "/start" }] } }).hooks?.poststop).toBeUndefined();
  });

  test.each<[string, Init]>([
    ["process.capabilities.bounding", { Process: { Capabilities: { Bounding: ["X"] } } }],
    ["process.capabilities.ambient", { Process: { Capabilities: { Ambient: ["X"] } } }],
    ["process.rlimits[0].type", { Process: { Rlimits: [{ Type: "X" }] } }],
    ["linux.namespaces[0].type", { Linux: { Namespaces: [{ Type: "X" }] } }],
    ["linux.devices[0].type", { Linux: { Devices: [{ Type: "X" }] } }],
    ["linux.rootfsPropagation", { Linux: { RootfsPropagation: "X" } }],
    ["linux.resources.devices[0].type", { Linux: { Resources: { Devices: [{ Type: "X" }] } } }],
    ["linux.seccomp.defaultAction", seccomp({ DefaultAction: "X" })],
    ["linux.seccomp.architectures", seccomp({ Architectures: ["X"] })],
    ["linux.seccomp.flags", seccomp({ Flags: ["X"] })],
    ["linux.seccomp.syscalls[0].action", rule({ Action: "X" })],
    ["linux.seccomp.syscalls[0].args[0].op", rule({ Args: [{ Op: "X" }] })],
  ])("D4: an unknown word in %s is refused by name", (field, init) => {
    expect(() => spec(init)).toThrow(new InvalidSpec(`invalid ${field}: "X"`));
  });

  test("D4: an empty word where one is needed is refused too", () => {
    expect(() => spec({ Linux: { Seccomp: {} } })).toThrow(
      'invalid linux.seccomp.defaultAction: ""',
    );
    expect(() => spec({ Linux: { Devices: [{}] } })).toThrow('invalid linux.devices[0].type: ""');
    expect(() => spec({ Linux: { Namespaces: [{}] } })).toThrow(
      'invalid linux.namespaces[0].type: ""',
    );
  });

  test("D4: the device type a is for cgroup rules, not for nodes", () => {
    expect(() => spec({ Linux: { Devices: [{ Path: "/dev/x", Type: "a" }] } })).toThrow(
      InvalidSpec,
    );
  });

  test("D4: a number that cannot be held exactly is refused", () => {
    const Devices = [{ Path: "/dev/x", Type: "c", Major: 2n ** 60n }];
    expect(() => spec({ Linux: { Devices } })).toThrow(
      'invalid linux.devices[0].major: "1152921504606846976"',
    );
  });

  test("D5: a mount without source or type is taken and has neither", () => {
    const { mounts } = spec({
      Mounts: [{ destination: "/proc", type: "proc" }, { destination: "/x" }],
    });
    expect(mounts).toEqual([{ destination: "/proc", type: "proc" }, { destination: "/x" }]);
  });
});

test("a container as the stock runtimes send it passes the validator", () => {
  const sent = spec({
    Version: "1.2.0",
    Process: {
      User: {},
      Args: ["/pause"],
      Cwd: "/",
      Env: ["PATH=/bin"],
      Capabilities: { Bounding: ["CAP_KILL"], Effective: ["CAP_KILL"], Permitted: ["CAP_KILL"] },
    },
    Root: { Path: "/run/kata-containers/shared/containers/c1/rootfs", Readonly: true },
    Hostname: "pod",
    Mounts: [
      {
        destination: "/proc",
        source: "proc",
        type: "proc",
        options: ["nosuid", "noexec", "nodev"],
      },
      { destination: "/dev/shm", source: "/run/kata-containers/sandbox/shm", options: ["rbind"] },
    ],
    Linux: {
      Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
      CgroupsPath: "kubepods-burstable-pod1.slice:cri-containerd:c1",
      MaskedPaths: ["/proc/acpi"],
      ReadonlyPaths: ["/proc/sys"],
      Resources: { CPU: { Shares: 2n } },
    },
  });
  expect(validateSpec(sent).process.args).toEqual(["/pause"]);
});
