// process of config.json → Process.
import { capabilityName } from "./capability.ts";
import {
  type Decode,
  array,
  flag,
  integer,
  object,
  optional,
  text,
  texts,
  u32,
  u64,
  unsigned,
  word,
  given,
} from "./json-value.ts";
import {
  type Capabilities,
  type ExecCpuAffinity,
  IO_PRIORITY_CLASSES,
  type IoPriority,
  type Process,
  type Rlimit,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
  type Scheduler,
  type User,
} from "./process.ts";
import { RLIMIT_TYPES } from "./rlimit.ts";

const i32 = integer(-(2 ** 31), 2 ** 31 - 1);

const capabilityNames = array(
  (value, path) => capabilityName(path, text(value, path)),
  "capability names",
);

/** Each once: as from the wire. */
const capabilities = optional((value, path) => [...new Set(capabilityNames(value, path))]);

/** An id that is not given is root's, as on the wire. */
const id: Decode<number> = (value, path) => optional(u32)(value, path) ?? 0;

const user = object<User>({
  uid: id,
  gid: id,
  umask: optional(u32),
  additionalGids: optional(array(u32, "group ids")),
  username: given,
});

const scheduler = object<Scheduler>({
  policy: word(SCHEDULER_POLICIES),
  nice: optional(i32),
  priority: optional(i32),
  flags: optional(array(word(SCHEDULER_FLAGS), "scheduler flags")),
  runtime: optional(unsigned),
  deadline: optional(unsigned),
  period: optional(unsigned),
});

export const processFromJson: Decode<Process> = object<Process>({
  terminal: optional(flag),
  consoleSize: optional(object({ height: u32, width: u32 })),
  user: (value, path) => user(value ?? {}, path),
  args: optional(texts),
  env: optional(texts),
  cwd: text,
  capabilities: optional(
    object<Capabilities>({
      bounding: capabilities,
      effective: capabilities,
      inheritable: capabilities,
      permitted: capabilities,
      ambient: capabilities,
    }),
  ),
  rlimits: optional(
    array(object<Rlimit>({ type: word(RLIMIT_TYPES), hard: u64, soft: u64 }), "rlimits"),
  ),
  noNewPrivileges: optional(flag),
  apparmorProfile: given,
  selinuxLabel: given,
  oomScoreAdj: optional(i32),
  scheduler: optional(scheduler),
  ioPriority: optional(
    object<IoPriority>({ class: word(IO_PRIORITY_CLASSES), priority: optional(i32) }),
  ),
  execCPUAffinity: optional(object<ExecCpuAffinity>({ initial: given, final: given })),
});
