// linux of config.json → Linux.
import { resourcesFromJson } from "./from-json-resources.ts";
import {
  type Decode,
  array,
  flag,
  int,
  object,
  optional,
  record,
  text,
  texts,
  u32,
  u64,
  word,
  given,
} from "./json-value.ts";
import { namespaceType } from "./namespace.ts";
import {
  SECCOMP_ACTIONS,
  SECCOMP_ARCHITECTURES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
  type Seccomp,
  type SeccompArg,
  type SeccompSyscall,
} from "./seccomp.ts";
import {
  DEVICE_TYPES,
  type Device,
  type IdMapping,
  type IntelRdt,
  type Linux,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  type MemoryPolicy,
  type Namespace,
  type NetDevice,
  PERSONALITY_DOMAINS,
  type Personality,
  ROOTFS_PROPAGATIONS,
  type TimeOffset,
  type TimeOffsets,
} from "./spec.ts";

export const idMappings: Decode<readonly IdMapping[]> = array(
  object<IdMapping>({ containerID: u32, hostID: u32, size: u32 }),
  "id mappings",
);

const namespace = object<Namespace>({
  type: (value, path) => namespaceType(path, text(value, path)),
  path: given,
});

const timeOffset = object<TimeOffset>({ secs: optional(int), nanosecs: optional(u32) });

const device = object<Device>({
  path: text,
  type: word(DEVICE_TYPES),
  major: optional(int),
  minor: optional(int),
  fileMode: optional(u32),
  uid: optional(u32),
  gid: optional(u32),
});

const seccompArg = object<SeccompArg>({
  index: u32,
  value: u64,
  valueTwo: (value, path) => optional(u64)(value, path) ?? 0n,
  op: word(SECCOMP_OPERATORS),
});

const syscall = object<SeccompSyscall>({
  names: texts,
  action: word(SECCOMP_ACTIONS),
  errnoRet: optional(u32),
  args: optional(array(seccompArg, "conditions")),
});

const seccomp = object<Seccomp>({
  defaultAction: word(SECCOMP_ACTIONS),
  defaultErrnoRet: optional(u32),
  architectures: optional(array(word(SECCOMP_ARCHITECTURES), "architectures")),
  flags: optional(array(word(SECCOMP_FLAGS), "filter flags")),
  listenerPath: given,
  listenerMetadata: given,
  syscalls: optional(array(syscall, "syscall rules")),
});

const intelRdt = object<IntelRdt>({
  closID: given,
  schemata: optional(texts),
  l3CacheSchema: given,
  memBwSchema: given,
  enableMonitoring: optional(flag),
});

const memoryPolicy = object<MemoryPolicy>({
  mode: word(MEMORY_POLICY_MODES),
  nodes: given,
  flags: optional(array(word(MEMORY_POLICY_FLAGS), "memory policy flags")),
});

export const linuxFromJson: Decode<Linux> = object<Linux>({
  namespaces: optional(array(namespace, "namespaces")),
  uidMappings: optional(idMappings),
  gidMappings: optional(idMappings),
  timeOffsets: optional(
    object<TimeOffsets>({ monotonic: optional(timeOffset), boottime: optional(timeOffset) }),
  ),
  devices: optional(array(device, "devices")),
  netDevices: optional(record(object<NetDevice>({ name: given }))),
  cgroupsPath: given,
  resources: optional(resourcesFromJson),
  rootfsPropagation: optional(word(ROOTFS_PROPAGATIONS)),
  seccomp: optional(seccomp),
  sysctl: optional(record(text)),
  maskedPaths: optional(texts),
  readonlyPaths: optional(texts),
  mountLabel: given,
  intelRdt: optional(intelRdt),
  memoryPolicy: optional(memoryPolicy),
  personality: optional(
    object<Personality>({ domain: word(PERSONALITY_DOMAINS), flags: optional(texts) }),
  ),
});
