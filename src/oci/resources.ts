// linux.resources of the OCI runtime spec. An absent number leaves what the cgroup has;
// −1 takes a limit away. Sizes are bytes, times microseconds.

export const DEVICE_CGROUP_TYPES = ["a", "b", "c"] as const;
export type DeviceCgroupType = (typeof DEVICE_CGROUP_TYPES)[number];

export type Resources = {
  /** Cgroup v2: file name to content, written as given. */
  readonly unified?: Readonly<Record<string, string>> | undefined;
  readonly devices?: readonly DeviceCgroup[] | undefined;
  readonly memory?: Memory | undefined;
  readonly cpu?: Cpu | undefined;
  readonly pids?: Pids | undefined;
  readonly blockIO?: BlockIo | undefined;
  readonly hugepageLimits?: readonly HugepageLimit[] | undefined;
  readonly network?: Network | undefined;
  /** By the name of the host channel adapter. */
  readonly rdma?: Readonly<Record<string, Rdma>> | undefined;
};

export type DeviceCgroup = {
  readonly allow: boolean;
  readonly type: DeviceCgroupType;
  /** Absent: any. */
  readonly major?: number | undefined;
  /** Absent: any. */
  readonly minor?: number | undefined;
  /** Letters of `rwm`. */
  readonly access?: string | undefined;
};

export type Memory = {
  readonly limit?: number | undefined;
  readonly reservation?: number | undefined;
  /** Memory and swap together. */
  readonly swap?: number | undefined;
  readonly kernel?: number | undefined;
  readonly kernelTCP?: number | undefined;
  readonly swappiness?: number | undefined;
  readonly disableOOMKiller?: boolean | undefined;
  readonly useHierarchy?: boolean | undefined;
  readonly checkBeforeUpdate?: boolean | undefined;
};

export type Cpu = {
  readonly shares?: number | undefined;
  readonly quota?: number | undefined;
  readonly burst?: number | undefined;
  readonly period?: number | undefined;
  readonly realtimeRuntime?: number | undefined;
  readonly realtimePeriod?: number | undefined;
  readonly cpus?: string | undefined;
  readonly mems?: string | undefined;
  readonly idle?: number | undefined;
};

export type Pids = { readonly limit: number };

export type BlockIo = {
  readonly weight?: number | undefined;
  readonly leafWeight?: number | undefined;
  readonly weightDevice?: readonly WeightDevice[] | undefined;
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[] | undefined;
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[] | undefined;
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[] | undefined;
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[] | undefined;
};

export type WeightDevice = {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number | undefined;
  readonly leafWeight?: number | undefined;
};

/** `rate` is bytes or operations per second; 0 takes the limit away. */
export type ThrottleDevice = {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
};

/** `pageSize` as in the name of the cgroup file: `2MB`. */
export type HugepageLimit = { readonly pageSize: string; readonly limit: number };

export type Network = {
  readonly classID?: number | undefined;
  readonly priorities?: readonly InterfacePriority[] | undefined;
};

export type InterfacePriority = { readonly name: string; readonly priority: number };

export type Rdma = {
  readonly hcaHandles?: number | undefined;
  readonly hcaObjects?: number | undefined;
};
