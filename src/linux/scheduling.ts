// What a process is served with: processor, disk and memory, and as which kind of machine. All calls are
// about the calling thread.
import { type Call, call } from "./call.ts";
import { IOPRIO_WHO } from "./scheduling-flags.ts";
import { structOf } from "./struct.ts";

/** Of sched_setattr(2); times are nanoseconds. */
export type SchedAttr = {
  /** SCHED_* */
  readonly policy: number;
  /** SCHED_FLAG_* */
  readonly flags: number;
  readonly nice: number;
  readonly priority: number;
  readonly runtime: number;
  readonly deadline: number;
  readonly period: number;
};

/** Bytes of struct sched_attr since Linux 5.3 (linux/sched/types.h, SCHED_ATTR_SIZE_VER1). */
const SCHED_ATTR_SIZE = 56;

export function sched_setattr(attr: SchedAttr, pid = 0): Call {
  const { policy, flags, nice, priority, runtime, deadline, period } = attr;
  const bytes = structOf("sched_attr", {
    size: SCHED_ATTR_SIZE,
    sched_policy: policy,
    sched_flags: flags,
    sched_nice: nice,
    sched_priority: priority,
    sched_runtime: runtime,
    sched_deadline: deadline,
    sched_period: period,
  });
  return call("sched_setattr", pid, bytes, 0);
}

/** `mask`: bit n is processor n, in whole 64-bit words. The kernel passes over those it cannot have. */
export function sched_setaffinity(mask: Uint8Array): Call {
  return call("sched_setaffinity", 0, mask.length, mask);
}

/** linux/ioprio.h: the class stands above 13 bits of level. */
export function ioprio_set(ioClass: number, level: number, pid = 0): Call {
  return call("ioprio_set", IOPRIO_WHO.PROCESS, pid, (ioClass << 13) | level);
}

/** `mode` as MPOL_* with MPOL_F_*; `nodes`: bit n is node n, in whole 64-bit words, or none at all. */
export function set_mempolicy(mode: number, nodes: Uint8Array): Call {
  if (nodes.length === 0) return call("set_mempolicy", mode, null, 0);
  // The kernel takes one less than the number it is told (mm/mempolicy.c, get_nodes).
  return call("set_mempolicy", mode, nodes, 8 * nodes.length + 1);
}

/** personality(2); `persona` as PER_*. */
export function personality(persona: number): Call {
  return call("personality", persona);
}
