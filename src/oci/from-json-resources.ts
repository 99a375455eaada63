// linux.resources of config.json → Resources.
import {
  type Decode,
  array,
  flag,
  int,
  limit,
  object,
  optional,
  record,
  text,
  u16,
  u32,
  unsigned,
  word,
  given,
} from "./json-value.ts";
import {
  type BlockIo,
  type Cpu,
  DEVICE_CGROUP_TYPES,
  type DeviceCgroup,
  type HugepageLimit,
  type InterfacePriority,
  type Memory,
  type Network,
  type Pids,
  type Rdma,
  type Resources,
  type ThrottleDevice,
  type WeightDevice,
} from "./resources.ts";

/** No number and a negative one are any device. */
const deviceNumber: Decode<number | undefined> = (value, path) => {
  const number = optional(int)(value, path);
  return number === undefined || number < 0 ? undefined : number;
};

const device = object<DeviceCgroup>({
  allow: flag,
  type: (value, path) => optional(word(DEVICE_CGROUP_TYPES))(value, path) ?? "a",
  major: deviceNumber,
  minor: deviceNumber,
  access: given,
});

const memory = object<Memory>({
  limit: optional(limit),
  reservation: optional(limit),
  swap: optional(limit),
  kernel: optional(limit),
  kernelTCP: optional(limit),
  swappiness: optional(unsigned),
  disableOOMKiller: optional(flag),
  useHierarchy: optional(flag),
  checkBeforeUpdate: optional(flag),
});

const cpu = object<Cpu>({
  shares: optional(unsigned),
  quota: optional(limit),
  burst: optional(unsigned),
  period: optional(unsigned),
  realtimeRuntime: optional(limit),
  realtimePeriod: optional(unsigned),
  cpus: given,
  mems: given,
  idle: optional(int),
});

const throttled = optional(
  array(object<ThrottleDevice>({ major: int, minor: int, rate: limit }), "devices"),
);

const weighted = object<WeightDevice>({
  major: int,
  minor: int,
  weight: optional(u16),
  leafWeight: optional(u16),
});

const blockIO = object<BlockIo>({
  weight: optional(u16),
  leafWeight: optional(u16),
  weightDevice: optional(array(weighted, "devices")),
  throttleReadBpsDevice: throttled,
  throttleWriteBpsDevice: throttled,
  throttleReadIOPSDevice: throttled,
  throttleWriteIOPSDevice: throttled,
});

const network = object<Network>({
  classID: optional(u32),
  priorities: optional(
    array(object<InterfacePriority>({ name: text, priority: u32 }), "interface priorities"),
  ),
});

export const resourcesFromJson: Decode<Resources> = object<Resources>({
  unified: optional(record(text)),
  devices: optional(array(device, "device rules")),
  memory: optional(memory),
  cpu: optional(cpu),
  pids: optional(object<Pids>({ limit })),
  blockIO: optional(blockIO),
  hugepageLimits: optional(
    array(object<HugepageLimit>({ pageSize: text, limit }), "hugepage limits"),
  ),
  network: optional(network),
  rdma: optional(record(object<Rdma>({ hcaHandles: optional(u32), hcaObjects: optional(u32) }))),
});
