// Containers of many kinds, as config.json has them, for two runtimes to be compared by. Root and
// cgroup are those of the test.
import { statusOf } from "./proc-status.ts";
import { v1 } from "./cgroup.ts";
import { CAP } from "../../src/linux/capability-names.ts";
import { profileJson } from "./seccomp-profiles.ts";
import { LOOK } from "./sight.ts";
import { readFileSync } from "node:fs";

export type Json = Readonly<Record<string, unknown>>;

export type Config = Json & { readonly process: Json; readonly linux: Json };

export type Case = {
  readonly title: string;
  readonly config: Config;
  /** Where in the guest the root of its user namespace begins; undefined without one. */
  readonly firstId?: number;
  /** A process that is to look in its stead. */
  readonly exec?: Json;
};

const words = (text: string): string[] => text.trim().split(/\s+/);

const CAPABILITIES = words(`
  CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID
  CAP_SETFCAP CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE
`);

/** All that this machine lets root have. */
function everyCapability(): readonly string[] {
  const { CapBnd = "0" } = statusOf(readFileSync("/proc/self/status", "utf8"));
  const bits = BigInt(`0x${CapBnd}`);
  return CAP.filter((_, bit) => (bits >> BigInt(bit)) & 1n);
}

const mount = (destination: string, type: string, options: string, source = type) => ({
  destination,
  type,
  source,
  options: options.split(","),
});

const SYS = mount("/sys", "sysfs", "nosuid,noexec,nodev,ro");
const CGROUP = mount("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro");
const MOUNTS = [
  mount("/proc", "proc", "nosuid,noexec,nodev"),
  mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
  mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
  mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"),
  mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
];

const PROCESS = {
  args: ["sh", "-c", LOOK],
  cwd: "/",
  env: ["PATH=/bin", "B=two  words ", "A=1", "A=2"],
  user: { uid: 0, gid: 0 },
  capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
  rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 512 }],
  noNewPrivileges: true,
};

const USER = {
  user: { uid: 1000, gid: 1001, additionalGids: [5, 7], umask: 0o27 },
  cwd: "/data",
  capabilities: {
    bounding: CAPABILITIES,
    effective: ["CAP_KILL"],
    permitted: ["CAP_KILL"],
    inheritable: ["CAP_KILL"],
    ambient: ["CAP_KILL"],
  },
  rlimits: [
    { type: "RLIMIT_CORE", hard: 0, soft: 0 },
    { type: "RLIMIT_NPROC", hard: 500, soft: 400 },
    { type: "RLIMIT_STACK", hard: 8_388_608, soft: 4_194_304 },
  ],
  oomScoreAdj: 77,
  noNewPrivileges: false,
};

/** On cgroup v2 the agent's containers have a cgroup namespace, asked for or not. */
const NAMESPACES = ["pid", "ipc", "uts", "mount", ...(v1.skip ? ["cgroup"] : [])];
const MAP = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

/** The masked and read-only paths of an ordinary one depend on what the machine's /proc has. */
function config(change: { process?: Json; linux?: Json } & Json = {}): Config {
  const { process = {}, linux = {}, ...rest } = change;
  return {
    ociVersion: "1.0.2",
    mounts: [...MOUNTS, SYS, CGROUP],
    ...rest,
    process: { ...PROCESS, ...process },
    linux: {
      namespaces: NAMESPACES.map((type) => ({ type })),
      maskedPaths: ["/secret/directory", "/secret/file", "/nowhere"],
      readonlyPaths: ["/frozen", "/proc/sys", "/proc/sysrq-trigger"],
      seccomp: profileJson(),
      ...linux,
    },
  };
}

const everything = everyCapability();

const IDLE = { args: ["sleep", "1000"] };

export const CASES: readonly Case[] = [
  { title: "an ordinary container", config: config() },
  { title: "a container of a user", config: config({ process: USER }) },
  {
    title: "a container with volumes, sysctls and a read-only root",
    config: config({
      hostname: "pod",
      root: { readonly: true },
      mounts: [
        ...MOUNTS,
        SYS,
        CGROUP,
        mount("/data", "bind", "rbind,ro,rprivate", "/usr/share"),
        mount("/other", "tmpfs", "nosuid,noatime,size=64k"),
        mount("/etc/hosts", "bind", "bind,nodev,noexec", "/etc/passwd"),
        mount("/tmp", "tmpfs", "nosuid,noexec,mode=1777"),
        mount("/run", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
      ],
      linux: {
        namespaces: [...new Set([...NAMESPACES, "cgroup"])].map((type) => ({ type })),
        sysctl: { "kernel.msgmax": "9000", "kernel.shm_rmid_forced": "1" },
        rootfsPropagation: "slave",
        maskedPaths: [],
        readonlyPaths: [],
      },
    }),
  },
  {
    title: "a container with limits and devices",
    config: config({
      linux: {
        resources: {
          devices: [
            { allow: false, access: "rwm" },
            { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
          ],
          memory: { limit: 1 << 26, swap: 1 << 26, reservation: 1 << 25 },
          cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: "0", mems: "0" },
          pids: { limit: 50 },
        },
        devices: [
          { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o640, uid: 3, gid: 4 },
        ],
      },
    }),
  },
  {
    title: "a container that may do everything",
    config: config({
      process: {
        capabilities: {
          bounding: everything,
          effective: everything,
          permitted: everything,
          inheritable: everything,
          ambient: everything,
        },
        noNewPrivileges: false,
      },
      linux: {
        resources: { devices: [{ allow: true, access: "rwm" }] },
        maskedPaths: [],
        readonlyPaths: [],
        seccomp: undefined,
      },
    }),
  },
  {
    title: "a container in a user namespace",
    firstId: 100_000,
    config: config({
      mounts: MOUNTS,
      linux: {
        namespaces: [...NAMESPACES, "user"].map((type) => ({ type })),
        uidMappings: MAP,
        gidMappings: MAP,
      },
    }),
  },
  {
    title: "a container with a terminal",
    config: config({ process: { terminal: true } }),
  },
  { title: "a process in a container", config: config({ process: IDLE }), exec: PROCESS },
  {
    title: "a process of a user in a container",
    config: config({ process: IDLE }),
    exec: { ...PROCESS, ...USER },
  },
];
