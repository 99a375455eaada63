// Everything that reads text or bytes of a host, of the kernel or of an image.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { writeFileSync } from "node:fs";
import { decodeMessage } from "../../src/cgroup/dbus-message.ts";
import { devicePolicy } from "../../src/cgroup/device-policy.ts";
import { deviceProgram } from "../../src/cgroup/device-program.ts";
import { hierarchiesOf } from "../../src/cgroup/hierarchies.ts";
import { isTaken } from "../../src/cgroup/limit-write.ts";
import { cgroupPath } from "../../src/cgroup/path.ts";
import { resourceWritesV1 } from "../../src/cgroup/resources-v1.ts";
import { resourceWritesV2 } from "../../src/cgroup/resources-v2.ts";
import { statFilesV1, statsV1 } from "../../src/cgroup/stats-v1.ts";
import { statFilesV2, statsV2 } from "../../src/cgroup/stats-v2.ts";
import { systemdUnit } from "../../src/cgroup/systemd-unit.ts";
import { readConfig } from "../../src/config.ts";
import { parseApQueue } from "../../src/device/ap-queue.ts";
import { parseCcwId } from "../../src/device/ccw-id.ts";
import { cdiSpecFrom } from "../../src/device/cdi-document.ts";
import { parseCdiName } from "../../src/device/cdi-name.ts";
import { parsePciAddress, parsePciPath, parsePciPlace } from "../../src/device/pci-address.ts";
import { parseScsiAddress } from "../../src/device/scsi-address.ts";
import { parseUevent } from "../../src/device/uevent.ts";
import { explain, explainSpec } from "../../src/explain.ts";
import { LinuxResourcesSchema, SpecSchema } from "../../src/gen/oci_pb.ts";
import { refuseModules } from "../../src/guest/modules.ts";
import { v1Controllers } from "../../src/guest/cgroup-hierarchy.ts";
import { readToml } from "../../src/kernel/toml-file.ts";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import { parseStat } from "../../src/linux/proc-stat.ts";
import { acknowledgementIn, decodeMessages } from "../../src/linux/netlink.ts";
import { handlesSignal, innermostPid } from "../../src/linux/proc-status.ts";
import { processStat, processStatus } from "../../src/metrics/agent-files.ts";
import { cpuTime, disks, networkDevices } from "../../src/metrics/guest-files.ts";
import { memoryInfo } from "../../src/metrics/memory-info.ts";
import { verifyId } from "../../src/oci/container-id.ts";
import { resourcesFromProto } from "../../src/oci/from-proto-resources.ts";
import { specFromProto } from "../../src/oci/from-proto.ts";
import { decodeAddress } from "../../src/network/address.ts";
import { parseIp, parseNetwork } from "../../src/network/ip-address.ts";
import { decodeLink } from "../../src/network/link.ts";
import { parseMac } from "../../src/network/mac-address.ts";
import { decodeRoute } from "../../src/network/route.ts";
import { idMask } from "../../src/oci/id-list.ts";
import { parseIdMap } from "../../src/oci/id-mapping.ts";
import { parseMountOptions } from "../../src/oci/mount-options.ts";
import { homeOf } from "../../src/oci/passwd.ts";
import { validateResources } from "../../src/oci/validate-resources.ts";
import { validateSpec } from "../../src/oci/validate.ts";
import { parseArguments } from "../../src/option/arguments.ts";
import { parseRules } from "../../src/policy/document.ts";
import { layerOf, partitionNode } from "../../src/storage/layer.ts";
import { storageOptions } from "../../src/storage/options.ts";
import { verityTarget } from "../../src/storage/verity.ts";
import { parseTraceparent } from "../../src/tracing/trace-context.ts";
import { parseAddress } from "../../src/ttrpc/address.ts";
import { containerRequest } from "../support/spec.ts";
import { perturb, randomMessage } from "./messages.ts";
import { type Random, mutate, upTo } from "./mutate.ts";
import { type Target, ofBytes, ofText } from "./target.ts";

const MOUNTINFO = `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue
25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
31 23 0:28 / /sys/fs/cgroup/cpu,cpuacct\\040x rw - cgroup cgroup rw,cpu,cpuacct
`;
const STATUS =
  "Name:\tsh\nNSpid:\t42\t1\nSigBlk:\t0000000000010000\nSigIgn:\t0\nSigCgt:\tffffffffffffffff\nVmRSS:\t 1 kB\n";
const STAT = "42 (a) b) S 1 42 42 0 -1 4194560 95 0 2 0 150 50 7 8 20 0 12 0 1234 1048 25";
const OPTIONS = "rbind,ro,nosuid,size=4k,mode=1777,idmap=uids=0-1-2,rslave,ridmap,tmpcopyup,X-a=b";
const TOML = `log_level = "debug"\nhotplug_timeout = { secs = 3, nanos = 0 }\n[a.b]\nc = [1, 2.5, "x"]\n`;
const DBUS = Uint8Array.fromHex(
  "6c0401011b00000007000000300000000301730" +
    "00a0000004a6f6252656d6f7665640000000000000801670004756f73730000000501750009000000" +
    "2a000000020000002f6a00000100000075000000020000006f6b00",
);
const UEVENT = new TextEncoder().encode(
  "add@/devices/a/vda\0ACTION=add\0DEVPATH=/devices/a/vda\0SUBSYSTEM=block\0DEVNAME=vda\0",
);

const NETLINK = Uint8Array.fromHex(
  "2000000010000200070000003930000000000403010000000000000000000000" +
    "44000000020000030900000039300000ffffffff34000000180005050900000000000000" +
    "1d0001004e657874686f702068617320696e76616c6964206761746500000000" +
    "1400000003000200070000003930000000000000",
);
const LINK = Uint8Array.fromHex(
  "00000100030000004310010000000000090003006574683000000000080004007805" +
    "00000a000100020000000001000010001200090001007665746800000000",
);
const ADDRESS = Uint8Array.fromHex("0218800003000000080001000a000002080002000a000002");
const ROUTE = Uint8Array.fromHex(
  "02100000fe0300010000000008000f00fe000000080001000a5a0000240009001000000003000000" +
    "080005000a0000031000040003000000080005000a000004",
);

const CONFIG = JSON.stringify({
  ociVersion: "1.2.0",
  root: { path: "/r" },
  process: {
    args: ["sh"],
    cwd: "/",
    user: { uid: 0 },
    rlimits: [{ type: "RLIMIT_CORE", hard: 1, soft: 1 }],
  },
  mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["ro"] }],
  linux: {
    namespaces: [{ type: "mount" }, { type: "pid" }],
    maskedPaths: ["/proc/kcore"],
    devices: [{ path: "/dev/x", type: "c", major: 1, minor: 3 }],
    seccomp: {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
    },
  },
});

const LAYER = `blk 02/03 erofs X-kata.multi-layer=true X-kata.overlay-lower X-kata.gpt-partitioned=true X-kata.partition-number=2 X-kata.dmverity-enabled=true X-kata.dmverity.roothash=${"ab".repeat(32)} X-kata.dmverity.hashoffset=8192 X-kata.dmverity.salt=00ff X-kata.mkdir.path={{_mount_0_}}/upper:0755`;
const CDI = JSON.stringify({
  cdiVersion: "0.6.0",
  kind: "vendor.com/net",
  devices: [
    {
      name: "eth0",
      containerEdits: { deviceNodes: [{ path: "/dev/x", major: 1, minor: 3 }], env: ["A=b"] },
    },
  ],
});

/** Files as both versions have them, one text for all. */
const CGROUP_FILES = [
  "usage_usec 5\nuser_usec 3\nnr_periods 1\nnr_throttled 2\nthrottled_usec 3\n",
  "max\n",
  "18446744073709551615\n",
  "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n",
  "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
  "low 0\nhigh 0\nmax 1\noom 1\noom_kill 1\n",
  "cpu io memory pids hugetlb\n",
  "1 2 3 4\n",
];
const PAGE_SIZES = ["2MB", "1GB"];
const V1 = ["cpuacct", "cpu", "memory", "pids", "blkio", "hugetlb"];

export function parserTargets(scratch: string): readonly Target[] {
  return [
    ofText("mountinfo", [MOUNTINFO], (text) => hierarchiesOf(parseMountinfo(text))),
    ofText("/proc/<pid>/status", [STATUS], (text) => {
      innermostPid(text);
      handlesSignal(text, 17);
      processStatus(text);
    }),
    ofText("/proc/<pid>/stat", [STAT], (text) => [parseStat(text), processStat(text)]),
    ofText(
      "/proc/stat and its like",
      [`cpu ${STAT}\neth0:1 2\n`, "8 0 sda 1 2\nA: 1 kB\n"],
      (text) => [cpuTime, disks, networkDevices, memoryInfo].map((parse) => parse(text)),
    ),
    ofText("/proc/cgroups", ["#subsys_name\thierarchy\ncpu\t3\t1\t1\n"], v1Controllers),
    ofText("mount options", [OPTIONS, "", ","], (text) => {
      parseMountOptions(text.split(","));
      storageOptions(text.split(","));
    }),
    ofText("passwd", ["root:x:0:0:root:/root:/bin/sh\nu:x:1:1::/h:\n"], (text) => homeOf(text, 1)),
    ofText("lists of processors", ["0-3,7", "0", "0-4294967295"], (text) => idMask("f", text)),
    ofText("id maps", ["0 1000 1\n1 2 3\n"], parseIdMap),
    ofText("ids", ["c1", "a.b_c-d"], verifyId),
    ofText("cgroup paths", ["/a/b", "system.slice:kata:c1", ""], (text) => {
      systemdUnit(text, "c1");
      cgroupPath(text, "c1");
    }),
    ofText("limits read back", CGROUP_FILES, (text) => {
      const limit = { field: "f", file: "memory.max", value: "4096" };
      isTaken({ ...limit, readBack: { kind: "size", page: 4096 } }, text);
      isTaken({ ...limit, readBack: { kind: "list" } }, text);
    }),
    { name: "cgroup files", run: readStats },
    ofText("the kernel's command line", ["agent.log=debug agent.trace a=b"], (commandLine) =>
      readConfig({
        commandLine,
        environment: { KATA_AGENT_LOG_LEVEL: commandLine },
        file: undefined,
      }),
    ),
    ofText("arguments", ["--config /x -v init"], (text) => parseArguments(text.split(" "), false)),
    ofText("TOML", [TOML], (text) => {
      const path = `${scratch}/agent.toml`;
      writeFileSync(path, text);
      const content = readToml(path);
      const file = { path, by: "argument", content } as const;
      readConfig({ commandLine: "", environment: {}, file });
    }),
    ofText("policies", ["package agent_policy\nimport rego.v1\ndefault X := true\n"], parseRules),
    ofText("traceparent", [`00-${"1".repeat(32)}-${"2".repeat(16)}-01`], parseTraceparent),
    ofText("addresses", ["vsock://-1:1024", "unix://@a", "unix:///a"], parseAddress),
    ofText("modules", ["loop max_loop=3"], (text) => {
      const [name = "", ...parameters] = text.split(" ");
      refuseModules([{ name, parameters }]);
    }),
    ...[
      parsePciAddress,
      parsePciPath,
      parsePciPlace,
      parseCcwId,
      parseScsiAddress,
      parseApQueue,
    ].map((parse) =>
      ofText(parse.name, ["0000:00:02.0", "02/03", "0.0.1234", "0:1", "0a.0027"], parse),
    ),
    ofText("layers", [LAYER], (text) => {
      const [driver = "", source = "", fstype = "", ...options] = text.split(" ");
      const { partition, verity } = layerOf({ driver, source, fstype, options, mountPoint: "/m" });
      if (verity !== undefined) verityTarget(partitionNode(source, partition ?? 1), verity);
    }),
    ofText("CDI documents", [CDI], (text) => cdiSpecFrom(parseJson(text), "/etc/cdi/a.json")),
    ofText("CDI names", ["vendor.com/net=eth0"], (text) => parseCdiName(text, "annotation")),
    ofBytes("uevents", [UEVENT], parseUevent),
    ofBytes("netlink", [NETLINK], (bytes) => decodeMessages(bytes).map(acknowledgementIn)),
    ofBytes("links, addresses, routes", [LINK, ADDRESS, ROUTE], (bytes) => {
      for (const decode of [decodeLink, decodeAddress, decodeRoute]) decode(bytes);
    }),
    ofText("addresses of networks", ["10.0.0.1/24", "fe80::1/64", "02:00:00:00:00:01"], (text) => {
      for (const parse of [parseIp, parseNetwork, parseMac]) parse(text);
    }),
    ofBytes("D-Bus messages", [DBUS], decodeMessage),
    ofText("config.json", [CONFIG], explain),
    { name: "specs to tapes", run: makeTape, shares: 10 },
    { name: "resources", run: writeLimits },
  ];
}

const { OCI } = containerRequest({ id: "c1", rootfs: "/rootfs", args: ["sh"] });
/** In this form nothing that is changed is anybody else's. */
const SPEC = toBinary(SpecSchema, create(SpecSchema, OCI));

/** undefined for what is none: others read it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The whole way of a request for a container, but for the kernel. */
function makeTape(random: Random): void {
  const spec = fromBinary(SpecSchema, SPEC);
  for (let left = 1 + upTo(random, 4); left > 0; left--) perturb(random, reflect(SpecSchema, spec));
  explainSpec(validateSpec(specFromProto(spec)));
}

function writeLimits(random: Random): void {
  const message = randomMessage(random, LinuxResourcesSchema);
  const resources = resourcesFromProto(create(LinuxResourcesSchema, message as never));
  validateResources(resources);
  const text = new TextDecoder().decode(
    mutate(
      random,
      CGROUP_FILES.map((each) => Buffer.from(each)),
    ),
  );
  const files = { read: () => (random() < 0.3 ? undefined : text), pageSizes: PAGE_SIZES };
  resourceWritesV1(resources, files);
  resourceWritesV2(resources, files);
  deviceProgram(devicePolicy(resources.devices ?? []));
}

function readStats(random: Random): void {
  const seeds = CGROUP_FILES.map((each) => new TextEncoder().encode(each));
  const filled = (names: readonly string[]) =>
    new Map(names.map((name) => [name, new TextDecoder().decode(mutate(random, seeds))]));
  statsV2(filled(statFilesV2(PAGE_SIZES)), PAGE_SIZES);
  statsV1(filled(statFilesV1(PAGE_SIZES)), V1, PAGE_SIZES);
}
