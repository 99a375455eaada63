// Words of the calls in scheduling.ts, by kernel name without the prefix.

/** linux/sched.h; SCHED_OTHER is the C library's name of SCHED_NORMAL. SCHED_ISO never came to be. */
export const SCHED = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5, DEADLINE: 6 } as const;

/** linux/sched.h */
export const SCHED_FLAG = {
  RESET_ON_FORK: 0x1,
  RECLAIM: 0x2,
  DL_OVERRUN: 0x4,
  KEEP_POLICY: 0x8,
  KEEP_PARAMS: 0x10,
  UTIL_CLAMP_MIN: 0x20,
  UTIL_CLAMP_MAX: 0x40,
} as const;

/** linux/ioprio.h */
export const IOPRIO_CLASS = { NONE: 0, RT: 1, BE: 2, IDLE: 3 } as const;
export const IOPRIO_WHO = { PROCESS: 1, PGRP: 2, USER: 3 } as const;

/** linux/mempolicy.h; WEIGHTED_INTERLEAVE came with Linux 6.9 */
export const MPOL = {
  DEFAULT: 0,
  PREFERRED: 1,
  BIND: 2,
  INTERLEAVE: 3,
  LOCAL: 4,
  PREFERRED_MANY: 5,
  WEIGHTED_INTERLEAVE: 6,
} as const;
export const MPOL_F = {
  NUMA_BALANCING: 0x2000,
  RELATIVE_NODES: 0x4000,
  STATIC_NODES: 0x8000,
} as const;

/** linux/personality.h */
export const PER = { LINUX: 0, LINUX32: 8 } as const;
