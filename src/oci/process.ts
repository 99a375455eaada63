// process of the OCI runtime spec: what runs, and as whom.
import type { CapabilityName } from "./capability.ts";
import type { RlimitType } from "./rlimit.ts";

export type Process = {
  readonly terminal?: boolean | undefined;
  /** Characters. */
  readonly consoleSize?: { readonly height: number; readonly width: number } | undefined;
  readonly user: User;
  readonly args?: readonly string[] | undefined;
  /** Verbatim, as sent. */
  readonly env?: readonly string[] | undefined;
  readonly cwd: string;
  /** Absent in an exec: those of the container. */
  readonly capabilities?: Capabilities | undefined;
  readonly rlimits?: readonly Rlimit[] | undefined;
  readonly noNewPrivileges?: boolean | undefined;
  readonly apparmorProfile?: string | undefined;
  readonly selinuxLabel?: string | undefined;
  readonly oomScoreAdj?: number | undefined;
  readonly scheduler?: Scheduler | undefined;
  readonly ioPriority?: IoPriority | undefined;
  readonly execCPUAffinity?: ExecCpuAffinity | undefined;
};

export type User = {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number | undefined;
  readonly additionalGids?: readonly number[] | undefined;
  readonly username?: string | undefined;
};

/** An absent set is an empty one. */
export type Capabilities = {
  readonly bounding?: readonly CapabilityName[] | undefined;
  readonly effective?: readonly CapabilityName[] | undefined;
  readonly inheritable?: readonly CapabilityName[] | undefined;
  readonly permitted?: readonly CapabilityName[] | undefined;
  readonly ambient?: readonly CapabilityName[] | undefined;
};

/** 2^64 − 1 is RLIM_INFINITY. */
export type Rlimit = {
  readonly type: RlimitType;
  readonly hard: bigint;
  readonly soft: bigint;
};

export const SCHEDULER_POLICIES = [
  "SCHED_OTHER",
  "SCHED_FIFO",
  "SCHED_RR",
  "SCHED_BATCH",
  "SCHED_ISO",
  "SCHED_IDLE",
  "SCHED_DEADLINE",
] as const;

export const SCHEDULER_FLAGS = [
  "SCHED_FLAG_RESET_ON_FORK",
  "SCHED_FLAG_RECLAIM",
  "SCHED_FLAG_DL_OVERRUN",
  "SCHED_FLAG_KEEP_POLICY",
  "SCHED_FLAG_KEEP_PARAMS",
  "SCHED_FLAG_UTIL_CLAMP_MIN",
  "SCHED_FLAG_UTIL_CLAMP_MAX",
] as const;

export type SchedulerPolicy = (typeof SCHEDULER_POLICIES)[number];
export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

/** sched_setattr(2); `runtime`, `deadline` and `period` are nanoseconds. */
export type Scheduler = {
  readonly policy: SchedulerPolicy;
  readonly nice?: number | undefined;
  readonly priority?: number | undefined;
  readonly flags?: readonly SchedulerFlag[] | undefined;
  readonly runtime?: number | undefined;
  readonly deadline?: number | undefined;
  readonly period?: number | undefined;
};

export const IO_PRIORITY_CLASSES = [
  "IOPRIO_CLASS_RT",
  "IOPRIO_CLASS_BE",
  "IOPRIO_CLASS_IDLE",
] as const;

export type IoPriorityClass = (typeof IO_PRIORITY_CLASSES)[number];

/** ioprio_set(2) */
export type IoPriority = {
  readonly class: IoPriorityClass;
  readonly priority?: number | undefined;
};

/** CPU lists; `initial` before the process is moved into its cgroup, `final` from its execve on. */
export type ExecCpuAffinity = {
  readonly initial?: string | undefined;
  readonly final?: string | undefined;
};
