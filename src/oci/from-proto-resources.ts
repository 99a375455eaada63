// grpc.LinuxResources → Resources. Presence rules: rpc.md section 7.6.
import type {
  LinuxBlockIO as ProtoBlockIo,
  LinuxCPU as ProtoCpu,
  LinuxDeviceCgroup as ProtoDeviceCgroup,
  LinuxMemory as ProtoMemory,
  LinuxNetwork as ProtoNetwork,
  LinuxResources as ProtoResources,
  LinuxThrottleDevice as ProtoThrottleDevice,
  LinuxWeightDevice as ProtoWeightDevice,
} from "../gen/oci_pb.ts";
import { oneOf } from "./invalid-spec.ts";
import { count, integer, limit, list, saturated, text } from "./proto-value.ts";
import {
  type BlockIo,
  type Cpu,
  DEVICE_CGROUP_TYPES,
  type DeviceCgroup,
  type Memory,
  type Network,
  type Resources,
  type ThrottleDevice,
  type WeightDevice,
} from "./resources.ts";

const AT = "linux.resources";

/** Throws InvalidSpec for a device type that does not exist and for numbers past 2^53. */
export function resourcesFromProto(resources: ProtoResources): Resources {
  const { Memory, CPU, Pids, BlockIO, Network } = resources;
  return {
    devices: list(resources.Devices, (rule, index) => convertRule(rule, `${AT}.devices[${index}]`)),
    memory: Memory && convertMemory(Memory),
    cpu: CPU && convertCpu(CPU),
    // The message is there, so a limit is meant; its zero is what a runtime sends for "no limit".
    pids: Pids && { limit: Pids.Limit <= 0n ? -1 : saturated(Pids.Limit) },
    blockIO: BlockIO && convertBlockIo(BlockIO),
    hugepageLimits: list(resources.HugepageLimits, ({ Pagesize, Limit }) => ({
      pageSize: Pagesize,
      limit: saturated(Limit),
    })),
    network: Network && convertNetwork(Network),
  };
}

/**
 * −1 is any device number, and so is a major of 0, which no device has: a runtime that has no
 * number sends two zeros. A minor of 0 beside a real major is the device with that minor.
 */
function convertRule(rule: ProtoDeviceCgroup, at: string): DeviceCgroup {
  const major = rule.Major > 0n ? integer(`${at}.major`, rule.Major) : undefined;
  const anyMinor = rule.Minor < 0n || (rule.Minor === 0n && major === undefined);
  return {
    allow: rule.Allow,
    type: oneOf(DEVICE_CGROUP_TYPES, `${at}.type`, rule.Type === "" ? "a" : rule.Type),
    major,
    minor: anyMinor ? undefined : integer(`${at}.minor`, rule.Minor),
    access: text(rule.Access),
  };
}

function convertMemory(memory: ProtoMemory): Memory {
  return {
    limit: limit(memory.Limit),
    reservation: limit(memory.Reservation),
    swap: limit(memory.Swap),
    kernel: limit(memory.Kernel),
    kernelTCP: limit(memory.KernelTCP),
    swappiness: count(`${AT}.memory.swappiness`, memory.Swappiness),
    disableOOMKiller: memory.DisableOOMKiller,
  };
}

function convertCpu(cpu: ProtoCpu): Cpu {
  return {
    shares: count(`${AT}.cpu.shares`, cpu.Shares),
    quota: limit(cpu.Quota),
    period: count(`${AT}.cpu.period`, cpu.Period),
    realtimeRuntime: limit(cpu.RealtimeRuntime),
    realtimePeriod: count(`${AT}.cpu.realtimePeriod`, cpu.RealtimePeriod),
    cpus: text(cpu.Cpus),
    mems: text(cpu.Mems),
  };
}

function convertBlockIo(io: ProtoBlockIo): BlockIo {
  return {
    weight: weight(io.Weight),
    leafWeight: weight(io.LeafWeight),
    weightDevice: list(io.WeightDevice, (device, index) =>
      weighted(device, `${AT}.blockIO.weightDevice[${index}]`),
    ),
    throttleReadBpsDevice: throttle("throttleReadBpsDevice", io.ThrottleReadBpsDevice),
    throttleWriteBpsDevice: throttle("throttleWriteBpsDevice", io.ThrottleWriteBpsDevice),
    throttleReadIOPSDevice: throttle("throttleReadIOPSDevice", io.ThrottleReadIOPSDevice),
    throttleWriteIOPSDevice: throttle("throttleWriteIOPSDevice", io.ThrottleWriteIOPSDevice),
  };
}

function weighted(
  { Major, Minor, Weight, LeafWeight }: ProtoWeightDevice,
  at: string,
): WeightDevice {
  return {
    major: integer(`${at}.major`, Major),
    minor: integer(`${at}.minor`, Minor),
    weight: weight(Weight),
    leafWeight: weight(LeafWeight),
  };
}

function throttle(name: string, devices: readonly ProtoThrottleDevice[]) {
  return list(devices, (device, index) => throttled(device, `${AT}.blockIO.${name}[${index}]`));
}

function throttled({ Major, Minor, Rate }: ProtoThrottleDevice, at: string): ThrottleDevice {
  return {
    major: integer(`${at}.major`, Major),
    minor: integer(`${at}.minor`, Minor),
    rate: saturated(Rate),
  };
}

function weight(value: number): number | undefined {
  return value === 0 ? undefined : value;
}

function convertNetwork({ ClassID, Priorities }: ProtoNetwork): Network {
  return {
    classID: ClassID === 0 ? undefined : ClassID,
    priorities: list(Priorities, ({ Name, Priority }) => ({ name: Name, priority: Priority })),
  };
}
