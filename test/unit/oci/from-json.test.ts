import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "bun:test";
import { SpecSchema } from "../../../src/gen/oci_pb.ts";
import { specFromJson } from "../../../src/oci/from-json.ts";
import { specFromProto } from "../../../src/oci/from-proto.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import { validSpecFrom } from "../../support/oci-spec.ts";
import { pick, randomText, seeded } from "../../support/random.ts";

const everyCapabilitySet = {
  bounding: ["CAP_KILL", "CAP_BPF"],
  effective: ["CAP_KILL"],
  inheritable: [],
  permitted: ["CAP_KILL"],
  ambient: [],
};

const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const throttle = [{ major: 8, minor: 0, rate: 1_000_000 }];
const hook = (path: string) => [{ path, args: ["a"], env: ["K=v"], timeout: 3 }];

/** Every field that the OCI runtime spec has for Linux, with a value that differs from absent. */
const full = {
  ociVersion: "1.3.0",
  process: {
    terminal: true,
    consoleSize: { height: 24, width: 80 },
    user: { uid: 1000, gid: 1001, umask: 0o77, additionalGids: [5], username: "u" },
    args: ["sh"],
    env: ["A=b"],
    cwd: "/srv",
    capabilities: everyCapabilitySet,
    noNewPrivileges: true,
    apparmorProfile: "profile",
    selinuxLabel: "system_u:system_r:container_t:s0:c1,c2",
    oomScoreAdj: -500,
    scheduler: {
      policy: "SCHED_DEADLINE",
      nice: 1,
      priority: 2,
      flags: ["SCHED_FLAG_RECLAIM"],
      runtime: 10_000_000,
      deadline: 20_000_000,
      period: 30_000_000,
    },
    ioPriority: { class: "IOPRIO_CLASS_BE", priority: 4 },
    execCPUAffinity: { initial: "0-1", final: "2" },
  },
  root: { path: "/rootfs", readonly: true },
  hostname: "h",
  domainname: "d",
  mounts: [
    {
      destination: "/data",
      type: "bind",
      source: "/src",
      options: ["rbind", "idmap"],
      uidMappings: ids,
      gidMappings: ids,
    },
  ],
  hooks: {
    prestart: hook("/1"),
    createRuntime: hook("/2"),
    createContainer: hook("/3"),
    startContainer: hook("/4"),
    poststart: hook("/5"),
    poststop: hook("/6"),
  },
  annotations: { "io.kubernetes.cri.container-type": "sandbox" },
  linux: {
    namespaces: [
      { type: "mount" },
      { type: "uts" },
      { type: "time" },
      { type: "user" },
      { type: "ipc", path: "/p" },
    ],
    uidMappings: ids,
    gidMappings: ids,
    timeOffsets: { monotonic: { secs: -5, nanosecs: 1 }, boottime: { secs: 7 } },
    devices: [{ path: "/dev/x", type: "u", major: 10, minor: 1, fileMode: 0o600, uid: 1, gid: 2 }],
    netDevices: { eth9: { name: "eth0" } },
    cgroupsPath: "a.slice:b:c",
    resources: {
      unified: { "memory.high": "100" },
      devices: [{ allow: true, type: "c", major: 1, minor: 3, access: "rwm" }],
      memory: {
        limit: -1,
        reservation: 1,
        swap: 2,
        kernel: 3,
        kernelTCP: 4,
        swappiness: 60,
        disableOOMKiller: true,
        useHierarchy: true,
        checkBeforeUpdate: true,
      },
      cpu: {
        shares: 1024,
        quota: -1,
        burst: 5,
        period: 100_000,
        realtimeRuntime: 6,
        realtimePeriod: 7,
        cpus: "0-3",
        mems: "0",
        idle: 1,
      },
      pids: { limit: 0 },
      blockIO: {
        weight: 10,
        leafWeight: 11,
        weightDevice: [{ major: 8, minor: 0, weight: 12, leafWeight: 13 }],
        throttleReadBpsDevice: throttle,
        throttleWriteBpsDevice: throttle,
        throttleReadIOPSDevice: throttle,
        throttleWriteIOPSDevice: throttle,
      },
      hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }],
      network: { classID: 5, priorities: [{ name: "eth0", priority: 3 }] },
      rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 100 } },
    },
    rootfsPropagation: "rslave",
    sysctl: { "net.core.somaxconn": "256" },
    maskedPaths: ["/proc/kcore"],
    readonlyPaths: ["/proc/sys"],
    mountLabel: "system_u:object_r:container_file_t:s0",
    intelRdt: {
      closID: "id",
      schemata: ["L3:0=f"],
      l3CacheSchema: "L3:0=ff",
      memBwSchema: "MB:0=20",
      enableMonitoring: true,
    },
    memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] },
    personality: { domain: "LINUX32", flags: ["X"] },
  },
} as const;

describe("a config.json", () => {
  test("with every field the OCI spec has is read without loss", () => {
    const read: unknown = specFromJson(JSON.stringify(full));
    expect(read).toEqual(full);
  });

  test("can name the last id and the least of all limits", () => {
    const { process, linux } = specFromJson(`{"ociVersion":"1",
      "process":{"cwd":"/","user":{"uid":4294967295}},
      "linux":{"resources":{"memory":{"limit":0}}}}`);
    expect(process?.user.uid).toBe(2 ** 32 - 1);
    expect(linux?.resources?.memory).toEqual({ limit: 0 });
  });

  test("keeps all 64 bits of rlimits and seccomp arguments", () => {
    const { process, linux } = specFromJson(`{
      "ociVersion": "1.2.0",
      "process": {
        "cwd": "/", "user": { "uid": 0, "gid": 0 }, "args": ["a"],
        "rlimits": [{ "type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615 }]
      },
      "linux": { "seccomp": {
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "listenerPath": "/l", "listenerMetadata": "m",
        "syscalls": [{
          "names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 0,
          "args": [
            { "index": 1, "value": 18446744073709551614, "op": "SCMP_CMP_NE" },
            { "index": 2, "value": 7, "valueTwo": 9007199254740993, "op": "SCMP_CMP_MASKED_EQ" }
          ]
        }]
      } }
    }`);
    expect(process?.rlimits).toEqual([{ type: "RLIMIT_CORE", soft: 0n, hard: 2n ** 64n - 1n }]);
    expect(linux?.seccomp).toEqual({
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 38,
      listenerPath: "/l",
      listenerMetadata: "m",
      syscalls: [
        {
          names: ["ioctl"],
          action: "SCMP_ACT_ERRNO",
          errnoRet: 0,
          args: [
            { index: 1, value: 2n ** 64n - 2n, valueTwo: 0n, op: "SCMP_CMP_NE" },
            { index: 2, value: 7n, valueTwo: 2n ** 53n + 1n, op: "SCMP_CMP_MASKED_EQ" },
          ],
        },
      ],
    });
  });

  test("reads null and the empty string as absent, and fields it does not know not at all", () => {
    const json = `{"ociVersion":"1","hostname":"","mounts":null,"linux":null,"vm":{"x":1}}`;
    expect(specFromJson(json)).toEqual({ ociVersion: "1" });
  });

  test("without a user is one of root, as on the wire", () => {
    expect(specFromJson(`{"ociVersion":"1","process":{"cwd":"/"}}`).process?.user).toEqual({
      uid: 0,
      gid: 0,
    });
  });

  test("with limits no guest reaches or below -1 has them cut", () => {
    const memory = `{"limit":9223372036854775807,"swap":-9223372036854775808,"kernel":-7}`;
    const json = `{"ociVersion":"1","linux":{"resources":{"memory":${memory}}}}`;
    expect(specFromJson(json).linux?.resources?.memory).toEqual({
      limit: Number.MAX_SAFE_INTEGER,
      swap: -1,
      kernel: -1,
    });
  });

  test("with a device rule without type or numbers has one for all devices", () => {
    const rules = `[{"allow":false},{"allow":true,"type":"c","major":136,"minor":-1},
      {"allow":true,"type":"b","major":8,"minor":0}]`;
    const json = `{"ociVersion":"1","linux":{"resources":{"devices":${rules}}}}`;
    expect(specFromJson(json).linux?.resources?.devices).toEqual([
      { allow: false, type: "a" },
      { allow: true, type: "c", major: 136 },
      { allow: true, type: "b", major: 8, minor: 0 },
    ]);
  });

  test("says the same as the message that a runtime makes of it", () => {
    const message = create(SpecSchema, {
      Version: "1.2.0",
      Process: {
        Args: ["sh"],
        Cwd: "/",
        User: { UID: 5, GID: 6, AdditionalGids: [7] },
        Capabilities: { Bounding: ["CAP_KILL"] },
        NoNewPrivileges: true,
      },
      Root: { Path: "/r", Readonly: true },
      Mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] }],
      Linux: { Namespaces: [{ Type: "mount" }], CgroupsPath: "/x", Sysctl: { "net.a": "1" } },
    });
    const json = {
      ociVersion: "1.2.0",
      process: {
        terminal: false,
        args: ["sh"],
        cwd: "/",
        user: { uid: 5, gid: 6, additionalGids: [7] },
        capabilities: {
          bounding: ["CAP_KILL"],
          effective: [],
          inheritable: [],
          permitted: [],
          ambient: [],
        },
        noNewPrivileges: true,
      },
      root: { path: "/r", readonly: true },
      mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] }],
      linux: { namespaces: [{ type: "mount" }], cgroupsPath: "/x", sysctl: { "net.a": "1" } },
    };
    expect(specFromJson(JSON.stringify(json))).toEqual(specFromProto(message));
  });

  test("of the smallest container passes the validator", () => {
    const json = `{"ociVersion":"1.0.2","root":{"path":"rootfs"},"linux":{},
      "process":{"args":["/bin/true"],"cwd":"/"}}`;
    expect(validSpecFrom(json).process.args).toEqual(["/bin/true"]);
  });
});

const withPart = (part: string) => `{"ociVersion":"1",${part}}`;
const processWith = (part: string) => withPart(`"process":{"cwd":"/","user":{},${part}}`);
const linuxWith = (part: string) => withPart(`"linux":{${part}}`);
const resourcesWith = (part: string) => linuxWith(`"resources":{${part}}`);

describe("an error names the place", () => {
  test.each([
    ["{}", "ociVersion: expected a string"],
    ["[]", "config: expected an object"],
    ["null", "config: expected an object"],
    [processWith('"args":"sh"'), "process.args: expected an array of strings"],
    [processWith('"args":["sh",1]'), "process.args[1]: expected a string"],
    [processWith('"terminal":1'), "process.terminal: expected true or false"],
    [processWith('"user":[]'), "process.user: expected an object"],
    [
      processWith('"user":{"uid":-1}'),
      "process.user.uid: expected a whole number from 0 to 4294967295",
    ],
    [
      processWith('"user":{"uid":1.5}'),
      "process.user.uid: expected a whole number from 0 to 4294967295",
    ],
    [withPart('"process":{}'), "process.cwd: expected a string"],
    [
      processWith('"rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":18446744073709551616}]'),
      "process.rlimits[0].hard: expected an unsigned 64-bit number",
    ],
    [
      processWith('"rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":-9007199254740993}]'),
      "process.rlimits[0].hard: expected an unsigned 64-bit number",
    ],
    [processWith('"rlimits":[{"type":"AS"}]'), 'invalid process.rlimits[0].type: "AS"'],
    [
      processWith('"capabilities":{"bounding":["CAP_X"]}'),
      'invalid process.capabilities.bounding[0]: "CAP_X"',
    ],
    [processWith('"scheduler":{"policy":"X"}'), 'invalid process.scheduler.policy: "X"'],
    [processWith('"ioPriority":{"class":"X"}'), 'invalid process.ioPriority.class: "X"'],
    [withPart('"root":{}'), "root.path: expected a string"],
    [withPart('"mounts":[{}]'), "mounts[0].destination: expected a string"],
    [withPart('"annotations":{"a":1}'), 'annotations["a"]: expected a string'],
    [withPart('"hooks":{"poststop":[{}]}'), "hooks.poststop[0].path: expected a string"],
    [linuxWith('"namespaces":[{"type":"X"}]'), 'invalid linux.namespaces[0].type: "X"'],
    [linuxWith('"devices":[{"path":"/dev/a","type":"a"}]'), 'invalid linux.devices[0].type: "a"'],
    [linuxWith('"rootfsPropagation":"X"'), 'invalid linux.rootfsPropagation: "X"'],
    [linuxWith('"personality":{"domain":"X"}'), 'invalid linux.personality.domain: "X"'],
    [linuxWith('"memoryPolicy":{"mode":"X"}'), 'invalid linux.memoryPolicy.mode: "X"'],
    [linuxWith('"seccomp":{}'), "linux.seccomp.defaultAction: expected a string"],
    [resourcesWith('"pids":{}'), "linux.resources.pids.limit: expected a whole number"],
    [
      resourcesWith('"devices":[{"allow":true,"type":"X"}]'),
      'linux.resources.devices[0].type: "X"',
    ],
  ])("%s", (json, message) => {
    expect(() => specFromJson(json)).toThrow(InvalidSpec);
    expect(() => specFromJson(json)).toThrow(message);
  });

  test.each(["", "{", "nope", "[".repeat(500_000)])("text that is not JSON is refused", (json) => {
    expect(() => specFromJson(json)).toThrow("config: not JSON");
    expect(() => specFromJson(json)).toThrow(InvalidSpec);
  });

  test("a key called __proto__ is data like any other", () => {
    const { annotations } = specFromJson('{"ociVersion":"1","annotations":{"__proto__":"x"}}');
    expect(Object.entries(annotations ?? {})).toEqual([["__proto__", "x"]]);
  });
});

/** Runs `attempt`; anything that it throws must be an InvalidSpec. True if it threw. */
function refused(attempt: () => void): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidSpec);
    return true;
  }
}

describe("whatever is written", () => {
  /** `full` without what no guest can do, and no kernel. */
  const scheduler = { ...full.process.scheduler, priority: 0 };
  const process = { ...full.process, scheduler };
  const usable = { ...full, process, linux: { ...full.linux, netDevices: {}, intelRdt: {} } };

  test("the text that is changed below is good to begin with", () => {
    expect(refused(() => validSpecFrom(JSON.stringify(usable)))).toBe(false);
  });

  test("text changed at random is read or refused, never worse", () => {
    const random = seeded(1);
    const json = JSON.stringify(usable);
    let failures = 0;
    for (let round = 0; round < 3000; round += 1) {
      const at = Math.floor(random() * json.length);
      const end = at + Math.floor(random() * 5);
      const changed = json.slice(0, at) + randomText(random, 4) + json.slice(end);
      if (refused(() => validSpecFrom(changed))) failures += 1;
    }
    expect(failures).toBeGreaterThan(1000);
    expect(failures).toBeLessThan(3000);
  });

  test("values of the wrong kind at random places are read or refused, never worse", () => {
    const random = seeded(2);
    const strange = ["null", "true", "-1", "1.5", "1e300", '""', '"\\u0000"', '".."', "[[]]", "{}"];
    let failures = 0;
    for (let round = 0; round < 3000; round += 1) {
      const json = JSON.stringify(usable, (key, value: unknown): unknown =>
        key !== "" && random() < 0.01 ? JSON.parse(pick(random, strange)) : value,
      );
      if (refused(() => validSpecFrom(json))) failures += 1;
    }
    expect(failures).toBeGreaterThan(1000);
    expect(failures).toBeLessThan(3000);
  });
});
