// The container that the host asks for, in the terms of the OCI runtime spec (Linux). Names are
// those of config.json. The types hold all that the spec has, also what today's Kata protocol has
// no field for. A property that is absent was not asked for: nothing here stands for a default.
import type { NamespaceType } from "./namespace.ts";
import type { Process } from "./process.ts";
import type { Resources } from "./resources.ts";
import type { Seccomp } from "./seccomp.ts";

export type Spec = {
  readonly ociVersion: string;
  readonly process?: Process | undefined;
  readonly root?: Root | undefined;
  readonly hostname?: string | undefined;
  readonly domainname?: string | undefined;
  readonly mounts?: readonly Mount[] | undefined;
  readonly hooks?: Hooks | undefined;
  readonly annotations?: Annotations | undefined;
  readonly linux?: Linux | undefined;
};

export type Annotations = Readonly<Record<string, string>>;

export type Root = { readonly path: string; readonly readonly?: boolean | undefined };

export type Mount = {
  readonly destination: string;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  readonly options?: readonly string[] | undefined;
  readonly uidMappings?: readonly IdMapping[] | undefined;
  readonly gidMappings?: readonly IdMapping[] | undefined;
};

export type IdMapping = {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
};

export type Hooks = {
  readonly prestart?: readonly Hook[] | undefined;
  readonly createRuntime?: readonly Hook[] | undefined;
  readonly createContainer?: readonly Hook[] | undefined;
  readonly startContainer?: readonly Hook[] | undefined;
  readonly poststart?: readonly Hook[] | undefined;
  readonly poststop?: readonly Hook[] | undefined;
};

export type Hook = {
  readonly path: string;
  /** With argv[0]; absent or empty: the path alone. */
  readonly args?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  /** Seconds. */
  readonly timeout?: number | undefined;
};

export type Linux = {
  readonly namespaces?: readonly Namespace[] | undefined;
  readonly uidMappings?: readonly IdMapping[] | undefined;
  readonly gidMappings?: readonly IdMapping[] | undefined;
  readonly timeOffsets?: TimeOffsets | undefined;
  readonly devices?: readonly Device[] | undefined;
  readonly netDevices?: Readonly<Record<string, NetDevice>> | undefined;
  readonly cgroupsPath?: string | undefined;
  readonly resources?: Resources | undefined;
  readonly rootfsPropagation?: RootfsPropagation | undefined;
  readonly seccomp?: Seccomp | undefined;
  readonly sysctl?: Readonly<Record<string, string>> | undefined;
  readonly maskedPaths?: readonly string[] | undefined;
  readonly readonlyPaths?: readonly string[] | undefined;
  readonly mountLabel?: string | undefined;
  readonly intelRdt?: IntelRdt | undefined;
  readonly memoryPolicy?: MemoryPolicy | undefined;
  readonly personality?: Personality | undefined;
};

/** With a path: join that namespace; without: a new one. */
export type Namespace = { readonly type: NamespaceType; readonly path?: string | undefined };

export type TimeOffsets = {
  readonly monotonic?: TimeOffset | undefined;
  readonly boottime?: TimeOffset | undefined;
};

export type TimeOffset = {
  readonly secs?: number | undefined;
  readonly nanosecs?: number | undefined;
};

/** `u` is an unbuffered character device: `c` by another name. */
export const DEVICE_TYPES = ["b", "c", "u", "p"] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

export type Device = {
  readonly path: string;
  readonly type: DeviceType;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly fileMode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
};

export type NetDevice = { readonly name?: string | undefined };

/** The OCI schema has four; runtimes also send the recursive forms that mount options know. */
export const ROOTFS_PROPAGATIONS = [
  "private",
  "rprivate",
  "slave",
  "rslave",
  "shared",
  "rshared",
  "unbindable",
  "runbindable",
] as const;

export type RootfsPropagation = (typeof ROOTFS_PROPAGATIONS)[number];

export type IntelRdt = {
  readonly closID?: string | undefined;
  readonly schemata?: readonly string[] | undefined;
  readonly l3CacheSchema?: string | undefined;
  readonly memBwSchema?: string | undefined;
  readonly enableMonitoring?: boolean | undefined;
};

export const MEMORY_POLICY_MODES = [
  "MPOL_DEFAULT",
  "MPOL_BIND",
  "MPOL_INTERLEAVE",
  "MPOL_WEIGHTED_INTERLEAVE",
  "MPOL_PREFERRED",
  "MPOL_PREFERRED_MANY",
  "MPOL_LOCAL",
] as const;

export const MEMORY_POLICY_FLAGS = [
  "MPOL_F_NUMA_BALANCING",
  "MPOL_F_RELATIVE_NODES",
  "MPOL_F_STATIC_NODES",
] as const;

export type MemoryPolicyMode = (typeof MEMORY_POLICY_MODES)[number];
export type MemoryPolicyFlag = (typeof MEMORY_POLICY_FLAGS)[number];

/** set_mempolicy(2); `nodes` is a node list such as `0-1`. */
export type MemoryPolicy = {
  readonly mode: MemoryPolicyMode;
  readonly nodes?: string | undefined;
  readonly flags?: readonly MemoryPolicyFlag[] | undefined;
};

export const PERSONALITY_DOMAINS = ["LINUX", "LINUX32"] as const;
export type PersonalityDomain = (typeof PERSONALITY_DOMAINS)[number];

export type Personality = {
  readonly domain: PersonalityDomain;
  readonly flags?: readonly string[] | undefined;
};
