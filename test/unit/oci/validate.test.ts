import { describe, expect, test } from "bun:test";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import type { Process } from "../../../src/oci/process.ts";
import type { Hook, Linux, Mount, Spec } from "../../../src/oci/spec.ts";
import { validateProcess } from "../../../src/oci/validate-process.ts";
import { validateResources } from "../../../src/oci/validate-resources.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import { minimalProcess, minimalSpec, withLinux, withProcess } from "../../support/oci-spec.ts";

const { process: _process, ...withoutProcess } = minimalSpec;
const { root: _root, ...withoutRoot } = minimalSpec;
const { linux: _linux, ...withoutLinux } = minimalSpec;

const NO_NAMESPACES = withLinux({ namespaces: [] });
const USER = [{ type: "mount" }, { type: "user" }] as const;
const MAP = [{ containerID: 0, hostID: 1000, size: 1 }];
const EMPTY_MAP = [{ containerID: 0, hostID: 1000, size: 0 }];
const LABEL = "system_u:system_r:container_t:s0:c1,c2";

const HOOK: Hook = { path: "/bin/true" };

const hooked = (hook: Partial<Hook>): Spec => ({
  ...minimalSpec,
  hooks: { prestart: [HOOK, { ...HOOK, ...hook }] },
});
const withMount = (mount: Mount): Spec => ({ ...minimalSpec, mounts: [mount] });
const withSysctl = (name: string, linux: Partial<Linux> = {}): Spec =>
  withLinux({ ...linux, sysctl: { [name]: "1" } });
const withDevice = (path: string, major = 1, minor = 1): Spec =>
  withLinux({ devices: [{ path, type: "c", major, minor }] });

const seccomp = (rule: object): Spec =>
  withLinux({
    seccomp: {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO", ...rule }],
    },
  });

describe("upstream's rules", () => {
  test.each<[string, Spec, string]>([
    ["2: linux is there", withoutLinux, "oci Linux is none"],
    ["3: root is there", withoutRoot, "oci root is none"],
    [
      "7: a hostname needs a uts namespace",
      { ...NO_NAMESPACES, hostname: "h" },
      "hostname: Linux namespace does not contain uts",
    ],
    [
      "8: the process label has four parts",
      withProcess({ selinuxLabel: "a:b:c" }),
      'SELinux label for the process is invalid format: "a:b:c"',
    ],
    [
      "8: a text with a number from 10 to 15 in it is no label",
      withProcess({ selinuxLabel: "x 12 y" }),
      "SELinux label for the process is invalid format",
    ],
    [
      "8: there is no sensitivity 16",
      withProcess({ selinuxLabel: "a_u:b_r:c_t:s16" }),
      "SELinux label for the process is invalid format",
    ],
    [
      "9: the mount label has four parts",
      withLinux({ mountLabel: "nonsense" }),
      'SELinux label for the mount is invalid format: "nonsense"',
    ],
    [
      "10: masked paths need a mount namespace",
      withLinux({ namespaces: [], maskedPaths: ["/proc/kcore"] }),
      "Linux namespace does not contain mount",
    ],
    [
      "10: read-only paths need a mount namespace",
      withLinux({ namespaces: [], readonlyPaths: ["/proc/sys"] }),
      "Linux namespace does not contain mount",
    ],
    [
      "12: a user namespace needs a uid map",
      withLinux({ namespaces: USER, gidMappings: MAP }),
      "idmapping uid: No idmap has size > 0",
    ],
    [
      "12: a user namespace to join needs maps too",
      withLinux({ namespaces: [{ type: "user", path: "/ns" }], gidMappings: MAP }),
      "idmapping uid: No idmap has size > 0",
    ],
    [
      "12: a map of size 0 is none",
      withLinux({ namespaces: USER, uidMappings: MAP, gidMappings: EMPTY_MAP }),
      "idmapping gid: No idmap has size > 0",
    ],
    [
      "13: maps without a user namespace are refused",
      withLinux({ gidMappings: MAP }),
      "No user namespace, but uid or gid mapping exists",
    ],
    [
      "15: System V parameters need an ipc namespace",
      withSysctl("kernel.shmmax", { namespaces: [] }),
      "Linux namespace does not contain ipc",
    ],
    [
      "15: message queue parameters need an ipc namespace",
      withSysctl("fs.mqueue.msg_max", { namespaces: [] }),
      "Linux namespace does not contain ipc",
    ],
    [
      "17: the hostname is not set by sysctl",
      withSysctl("kernel.hostname"),
      "Kernel hostname specfied in Spec",
    ],
    [
      "17: without a uts namespace the domain name is not set either",
      withSysctl("kernel.domainname", { namespaces: [] }),
      "Sysctl config contains invalid settings",
    ],
    [
      "18: parameters of the whole guest are refused",
      withSysctl("kernel.core_pattern"),
      "Sysctl config contains invalid settings",
    ],
    [
      "18: the slash form does not get around the rules",
      withSysctl("kernel/core_pattern"),
      "Sysctl config contains invalid settings",
    ],
    [
      "18: the top of a tree is no parameter",
      withSysctl("net"),
      "Sysctl config contains invalid settings",
    ],
    [
      "18: the top of a user namespace's tree is none either",
      withSysctl("user", { namespaces: USER, uidMappings: MAP, gidMappings: MAP }),
      "Sysctl config contains invalid settings",
    ],
  ])("rule %s", (_, spec, message) => {
    expect(() => validateSpec(spec)).toThrow(InvalidSpec);
    expect(() => validateSpec(spec)).toThrow(message);
  });

  test.each<[string, Spec]>([
    ["7: a hostname with a uts namespace", { ...minimalSpec, hostname: "h" }],
    ["8 and 9: usual labels", withProcess({ selinuxLabel: LABEL })],
    ["8 and 9: ranges and high sensitivities", withLinux({ mountLabel: "a_u:b_r:c_t:s0-s15" })],
    [
      "10: masked paths with a mount namespace",
      withLinux({ maskedPaths: ["/proc/kcore"], readonlyPaths: ["/proc/sys"] }),
    ],
    [
      "12: a user namespace with both maps",
      withLinux({ namespaces: USER, uidMappings: MAP, gidMappings: [...EMPTY_MAP, ...MAP] }),
    ],
    ["15: System V parameters with an ipc namespace", withSysctl("kernel.shm_rmid_forced")],
    ["15: in the slash form too", withSysctl("fs/mqueue/msg_max")],
    ["16: network parameters always", withSysctl("net.ipv4.ip_forward", { namespaces: [] })],
    ["17: the domain name with a uts namespace", withSysctl("kernel.domainname")],
    [
      "18: user.* within a user namespace",
      withSysctl("user.max_user_namespaces", {
        namespaces: USER,
        uidMappings: MAP,
        gidMappings: MAP,
      }),
    ],
  ])("rule %s is accepted", (_, spec) => {
    expect(() => validateSpec(spec)).not.toThrow();
  });
});

describe("what runs", () => {
  test.each<[string, Partial<Process>, string]>([
    ["no arguments", { args: undefined }, "process.args is empty"],
    ["an empty argument list", { args: [] }, "process.args is empty"],
    ["no cwd", { cwd: "" }, 'process.cwd "" is not an absolute path'],
    ["a relative cwd", { cwd: "srv" }, 'process.cwd "srv" is not an absolute path'],
    ["a NUL in cwd", { cwd: "/a\0b" }, "process.cwd contains NUL"],
    ["a NUL in an argument", { args: ["a", "b\0"] }, "process.args[1] contains NUL"],
    ["a NUL in the environment", { env: ["A=b", "C=\0"] }, "process.env[1] contains NUL"],
    [
      "the uid that leaves root in place",
      { user: { uid: 0xffffffff, gid: 0 } },
      'invalid process.user.uid: "4294967295"',
    ],
    [
      "the gid that leaves root's in place",
      { user: { uid: 0, gid: 0xffffffff } },
      'invalid process.user.gid: "4294967295"',
    ],
    [
      "the same as a supplementary group",
      { user: { uid: 0, gid: 0, additionalGids: [5, 0xffffffff] } },
      'invalid process.user.additionalGids: "4294967295"',
    ],
    [
      "a soft limit above the hard one",
      { rlimits: [{ type: "RLIMIT_NOFILE", soft: 11n, hard: 10n }] },
      "RLIMIT_NOFILE: soft limit 11 exceeds hard limit 10",
    ],
    [
      "one limit twice",
      {
        rlimits: [
          { type: "RLIMIT_AS", soft: 1n, hard: 1n },
          { type: "RLIMIT_AS", soft: 2n, hard: 2n },
        ],
      },
      "RLIMIT_AS is set twice",
    ],
    [
      "an effective capability that is not permitted",
      { capabilities: { effective: ["CAP_KILL", "CAP_BPF"], permitted: ["CAP_KILL"] } },
      "capability CAP_BPF is effective but not permitted",
    ],
    ["an oom score below the least", { oomScoreAdj: -1001 }, 'process.oomScoreAdj: "-1001"'],
    ["an oom score above the most", { oomScoreAdj: 1001 }, 'process.oomScoreAdj: "1001"'],
    [
      "an io priority that would change its class",
      { ioPriority: { class: "IOPRIO_CLASS_BE", priority: 8 } },
      'invalid process.ioPriority.priority: "8"',
    ],
    [
      "an io priority below zero",
      { ioPriority: { class: "IOPRIO_CLASS_BE", priority: -1 } },
      'invalid process.ioPriority.priority: "-1"',
    ],
  ])("cannot have %s, in a container or an exec", (_, change, message) => {
    expect(() => validateProcess({ ...minimalProcess, ...change })).toThrow(InvalidSpec);
    expect(() => validateProcess({ ...minimalProcess, ...change })).toThrow(message);
    expect(() => validateSpec(withProcess(change))).toThrow(message);
  });

  test("is refused when there is no process at all", () => {
    expect(() => validateSpec(withoutProcess)).toThrow("oci process is none");
  });

  test.each<[string, Partial<Process>]>([
    ["an ambient capability that is not inheritable", { capabilities: { ambient: ["CAP_KILL"] } }],
    [
      "unlimited limits",
      { rlimits: [{ type: "RLIMIT_CORE", soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n }] },
    ],
    ["environment entries that will be dropped", { env: ["no equals"] }],
    ["an empty argument", { args: [""] }],
    ["the least oom score", { oomScoreAdj: -1000 }],
    ["the greatest oom score", { oomScoreAdj: 1000 }],
    ["the first io priority", { ioPriority: { class: "IOPRIO_CLASS_BE", priority: 0 } }],
    ["the last io priority", { ioPriority: { class: "IOPRIO_CLASS_RT", priority: 7 } }],
  ])("can have %s", (_, change) => {
    expect(() => validateProcess({ ...minimalProcess, ...change })).not.toThrow();
  });

  test("comes back with a command that later code can rely on", () => {
    const [command, ...rest] = validateProcess({ ...minimalProcess, args: ["a", "b"] }).args;
    expect([command, rest]).toEqual(["a", ["b"]]);
  });
});

describe("a container", () => {
  test.each<[string, Spec, string]>([
    ["a NUL in its hostname", { ...minimalSpec, hostname: "a\0" }, "spec.hostname contains NUL"],
    [
      "a NUL in a mount option",
      withMount({ destination: "/a", options: ["x\0"] }),
      "spec.mounts[0].options[0] contains NUL",
    ],
    ["a NUL in a sysctl's name", withSysctl("net.a\0"), "a key of spec.linux.sysctl contains NUL"],
    ["the guest's root", { ...minimalSpec, root: { path: "/" } }, "rootfs: root path"],
    [
      "the guest's root in disguise",
      { ...minimalSpec, root: { path: "//./" } },
      "rootfs: root path",
    ],
    ["no root path", { ...minimalSpec, root: { path: "" } }, "rootfs: root path"],
    [
      "a hostname longer than the kernel's",
      { ...minimalSpec, hostname: "é".repeat(33) },
      "is longer than 64 bytes",
    ],
    [
      "a domain name longer than the kernel's",
      { ...minimalSpec, domainname: "a".repeat(65) },
      "is longer than 64 bytes",
    ],
    [
      "a domain name without a uts namespace",
      { ...NO_NAMESPACES, domainname: "d" },
      "domainname: Linux namespace does not contain uts",
    ],
    [
      "one kind of namespace twice",
      withLinux({ namespaces: [{ type: "pid" }, { type: "pid", path: "/p" }] }),
      "namespace pid is listed twice",
    ],
    [
      "a namespace at a relative path",
      withLinux({ namespaces: [{ type: "pid", path: "../p" }] }),
      'namespace pid: path "../p" is not absolute',
    ],
    [
      "time offsets without a time namespace",
      withLinux({ timeOffsets: { boottime: { secs: 1 } } }),
      "linux.timeOffsets: Linux namespace does not contain time",
    ],
    [
      "a bind mount that is filled",
      withMount({ destination: "/a", options: ["bind", "tmpcopyup"] }),
      'mount "/a" has tmpcopyup and is not a tmpfs',
    ],
    [
      "time offsets for a time namespace that others are in",
      withLinux({
        namespaces: [{ type: "time", path: "/ns" }],
        timeOffsets: { boottime: { secs: 1 } },
      }),
      "linux.timeOffsets: the time namespace is one to join",
    ],
    [
      "a time offset of a second in nanoseconds",
      withLinux({
        namespaces: [{ type: "time" }],
        timeOffsets: { monotonic: { nanosecs: 1_000_000_000 } },
      }),
      'invalid linux.timeOffsets.monotonic.nanosecs: "1000000000"',
    ],
    [
      "user.* parameters without a user namespace",
      withSysctl("user.max_user_namespaces"),
      "Sysctl config contains invalid settings",
    ],
    ["a sysctl that climbs", withSysctl("net/../kernel/panic"), "invalid linux.sysctl"],
    [
      "a relative mount destination",
      withMount({ destination: "a" }),
      'the mount destination "a" is invalid',
    ],
    [
      "a mount destination that climbs",
      withMount({ destination: "/a/../b" }),
      'the mount destination "/a/../b" is invalid',
    ],
    [
      "a mount that covers its root",
      withMount({ destination: "/./" }),
      'the mount destination "/./" is invalid',
    ],
    [
      "an id-mapped mount that is no bind mount",
      withMount({ destination: "/a", type: "tmpfs", options: ["idmap"] }),
      'id-mapped mount "/a" is not a bind mount',
    ],
    [
      "an id-mapped mount with one map",
      withMount({ destination: "/a", options: ["bind"], uidMappings: MAP }),
      'id-mapped mount "/a" needs both uid and gid mappings',
    ],
    [
      "an id-mapped mount without maps or user namespace",
      withMount({ destination: "/a", options: ["bind", "ridmap"] }),
      'id-mapped mount "/a" needs both uid and gid mappings',
    ],
    ["a device outside /dev", withDevice("/etc/x"), '"/etc/x" is not a valid device path'],
    ["a device at /dev itself", withDevice("/dev/."), '"/dev/." is not a valid device path'],
    ["a device below a namesake of /dev", withDevice("/devx/a"), "is not a valid device path"],
    ["a device that climbs", withDevice("/dev/../etc/x"), "is not a valid device path"],
    ["a device at a relative path", withDevice("dev/x"), "is not a valid device path"],
    ["a device number that does not fit", withDevice("/dev/x", 4096, 0), "invalid number 4096:0"],
    ["a negative device number", withDevice("/dev/x", 1, -1), "invalid number 1:-1"],
    ["a negative major number", withDevice("/dev/x", -1, 1), "invalid number -1:1"],
    [
      "a masked path that is relative",
      withLinux({ maskedPaths: ["/proc/kcore", "proc/keys"] }),
      `cannot mount "proc/keys": path does not start with '/' or contains '..'`,
    ],
    [
      "a read-only path that climbs",
      withLinux({ readonlyPaths: ["/proc/../etc"] }),
      `cannot mount "/proc/../etc": path does not start with '/' or contains '..'`,
    ],
    [
      "a bind mount without a source",
      { ...minimalSpec, mounts: [{ destination: "/a", options: ["bind"] }] },
      'bind mount "/a" has no source',
    ],
    [
      "a mount inside /proc",
      { ...minimalSpec, mounts: [{ destination: "/proc/./sys", type: "tmpfs" }] },
      '"/proc/./sys" cannot be mounted because it is inside /proc',
    ],
    [
      "something else in the place of /proc",
      { ...minimalSpec, mounts: [{ destination: "/proc", type: "tmpfs" }] },
      '"/proc" cannot be mounted because it is not of type proc',
    ],
    [
      "a cgroup path that climbs",
      withLinux({ cgroupsPath: "/a/../../b" }),
      "linux.cgroupsPath \"/a/../../b\" contains '..'",
    ],
    ["a cgroup path whose parts climb", withLinux({ cgroupsPath: "..:..:x" }), "linux.cgroupsPath"],
    [
      "a hook at a relative path",
      { ...minimalSpec, hooks: { poststop: [{ path: "bin/x" }] } },
      'hooks.poststop[0].path: "bin/x" is not absolute',
    ],
    [
      "a hook with a path that the kernel takes from nobody",
      hooked({ path: `/${"x".repeat(4095)}` }),
      "hooks.prestart[1].path is longer than 4095 bytes",
    ],
    [
      "a hook with an argument like that",
      hooked({ args: ["x", "é".repeat(65_536)] }),
      "hooks.prestart[1].args[1] is longer than 131071 bytes",
    ],
    [
      "a hook with a variable like that",
      hooked({ env: ["x".repeat(131_072)] }),
      "hooks.prestart[1].env[0] is longer than 131071 bytes",
    ],
    [
      "a hook that may run no time at all",
      hooked({ timeout: 0 }),
      "hooks.prestart[1].timeout: 0 is not from 1 to 2147483 seconds",
    ],
    [
      "a hook that may run longer than a timer can",
      hooked({ timeout: 2_147_484 }),
      "hooks.prestart[1].timeout: 2147484 is not from 1 to 2147483 seconds",
    ],
    [
      "more hooks of one kind than anybody has",
      { ...minimalSpec, hooks: { poststart: Array.from({ length: 65 }, () => HOOK) } },
      "hooks.poststart: 65 hooks, of which 64 may be",
    ],
    [
      "a class of service",
      withLinux({ intelRdt: { closID: "x" } }),
      "linux.intelRdt.closID: the guest has no resctrl",
    ],
    [
      "network devices of its own",
      withLinux({ netDevices: { eth1: {} } }),
      "linux.netDevices: containers share the guest's network namespace",
    ],
    [
      "a filter that asks about everything",
      withLinux({ seccomp: { defaultAction: "SCMP_ACT_NOTIFY" } }),
      'invalid linux.seccomp.defaultAction: "SCMP_ACT_NOTIFY"',
    ],
    [
      "limits that its cgroup cannot have",
      withLinux({ resources: { hugepageLimits: [{ pageSize: "../2MB", limit: 1 }] } }),
      'invalid linux.resources.hugepageLimits[0].pageSize: "../2MB"',
    ],
  ])("cannot have %s", (_, spec, message) => {
    expect(() => validateSpec(spec)).toThrow(InvalidSpec);
    expect(() => validateSpec(spec)).toThrow(message);
  });

  test.each<[string, Spec]>([
    ["the least there is", minimalSpec],
    ["a relative root path, as in a bundle", { ...minimalSpec, root: { path: "rootfs" } }],
    ["a hostname of 64 bytes", { ...minimalSpec, hostname: "a".repeat(64) }],
    ["dots in a mount destination", withMount({ destination: "/a..b/.c/..." })],
    ["a device below a folder of /dev", withDevice("/dev/net//tun", 10, 200)],
    ["the largest device number", withDevice("/dev/x", 4095, 2 ** 20 - 1)],
    ["the smallest device number", withDevice("/dev/x", 0, 0)],
    ["a fifo, whatever its numbers", withLinux({ devices: [{ path: "/dev/p", type: "p" }] })],
    ["a systemd cgroup path", withLinux({ cgroupsPath: "a-b.slice:cri-containerd:c..1" })],
    ["annotations with anything in them", { ...minimalSpec, annotations: { a: "\0" } }],
    ["a cache schema, which is ignored", withLinux({ intelRdt: { l3CacheSchema: "L3:0=f" } })],
    [
      "an id-mapped mount with both maps",
      withMount({
        destination: "/a",
        source: "/b",
        options: ["bind", "idmap"],
        uidMappings: MAP,
        gidMappings: MAP,
      }),
    ],
    [
      "an id-mapped mount that follows the container's user namespace",
      {
        ...withLinux({ namespaces: USER, uidMappings: MAP, gidMappings: MAP }),
        mounts: [{ destination: "/a", source: "/b", options: ["rbind", "idmap"] }],
      },
    ],
    [
      "time offsets with a time namespace",
      withLinux({ namespaces: [{ type: "time" }], timeOffsets: { monotonic: { secs: 1 } } }),
    ],
  ])("can have %s", (_, spec) => {
    expect(() => validateSpec(spec)).not.toThrow();
  });

  test("comes back as it was given", () => {
    const given: unknown = validateSpec({ ...minimalSpec, hostname: "h" });
    expect(given).toEqual({ ...minimalSpec, hostname: "h" });
  });

  test("breaking several rules is refused for the first", () => {
    const spec = withMount({ destination: "relative" });
    expect(() => validateSpec({ ...spec, root: { path: "/" } })).toThrow("rootfs: root path");
  });
});

describe("a filter rule", () => {
  const write = { names: ["write"], action: "SCMP_ACT_NOTIFY" } as const;

  test.each<[string, Spec, string]>([
    ["needs a name", seccomp({ names: [] }), "syscall name is required"],
    [
      "cannot look at a seventh argument",
      seccomp({ args: [{ index: 6, value: 0n, valueTwo: 0n, op: "SCMP_CMP_EQ" }] }),
      'linux.seccomp.syscalls[0].args.index: "6"',
    ],
    [
      "cannot give an errno that there is none of",
      seccomp({ errnoRet: 4096 }),
      'invalid linux.seccomp.syscalls[0].errnoRet: "4096"',
    ],
    [
      "cannot leave such an errno to the others",
      withLinux({ seccomp: { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 4096 } }),
      'invalid linux.seccomp.defaultErrnoRet: "4096"',
    ],
    ["cannot ask about write", seccomp(write), "SCMP_ACT_NOTIFY cannot be used for write"],
    [
      "cannot ask when there is no one to ask",
      seccomp({ action: "SCMP_ACT_NOTIFY" }),
      "SCMP_ACT_NOTIFY needs a listenerPath",
    ],
  ])("%s", (_, spec, message) => {
    expect(() => validateSpec(spec)).toThrow(InvalidSpec);
    expect(() => validateSpec(spec)).toThrow(message);
  });

  test("cannot ask when only other rules do without", () => {
    const rules = ["SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"] as const;
    const syscalls = rules.map((action) => ({ names: ["mkdir"], action }));
    const linux = { seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls } } as const;
    expect(() => validateSpec(withLinux(linux))).toThrow("needs a listenerPath");
  });

  test("may ask when there is someone to ask", () => {
    const syscalls = [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] as const;
    const listening = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/l", syscalls } as const;
    expect(() => validateSpec(withLinux({ seccomp: listening }))).not.toThrow();
  });

  test("may look at the sixth argument", () => {
    const args = [{ index: 5, value: 0n, valueTwo: 0n, op: "SCMP_CMP_EQ" }];
    expect(() => validateSpec(seccomp({ args }))).not.toThrow();
  });
});

describe("resources, of a container or of an update", () => {
  test.each(["2mb", "02MB", "2MB/", "MB", "", "1GB\n", "2MiB"])(
    "cannot name the page size %j",
    (pageSize) => {
      expect(() => validateResources({ hugepageLimits: [{ pageSize, limit: 1 }] })).toThrow(
        InvalidSpec,
      );
    },
  );

  test.each(["../cgroup.procs", "memory/max", "/memory.max", "memory", "", ".hidden"])(
    "cannot write the cgroup file %j",
    (file) => {
      expect(() => validateResources({ unified: { [file]: "1" } })).toThrow(InvalidSpec);
    },
  );

  test("cannot give a device an access that does not exist", () => {
    expect(() =>
      validateResources({ devices: [{ allow: true, type: "a", access: "rwx" }] }),
    ).toThrow('invalid linux.resources.devices[0].access: "rwx"');
  });

  test("has lists of processors and nodes that fit the kernel's files", () => {
    for (const name of ["cpus", "mems"]) {
      validateResources({ cpu: { [name]: "0".repeat(4095) } });
      expect(() => validateResources({ cpu: { [name]: "0,".repeat(2048) } })).toThrow(
        `linux.resources.cpu.${name}: more than 4095 characters`,
      );
    }
  });

  test("cannot hold a NUL", () => {
    expect(() => validateResources({ cpu: { cpus: "0\0" } })).toThrow(
      "linux.resources.cpu.cpus contains NUL",
    );
  });

  test("can have all that is well formed", () => {
    expect(() =>
      validateResources({
        unified: { "memory.high": "1" },
        devices: [{ allow: true, type: "c", access: "rwm" }],
        hugepageLimits: [{ pageSize: "64KB", limit: 1 }],
      }),
    ).not.toThrow();
  });
});

test.each(["/proc/cpuinfo", "/proc/net/dev", "/process-data"])(
  "a bind mount may stand at %s, which is told by whole names (D12)",
  (destination) => {
    const mounts = [{ destination, source: "/a", options: ["bind"] }];
    expect(() => validateSpec({ ...minimalSpec, mounts })).not.toThrow();
  },
);
