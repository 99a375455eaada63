// Rules for what a process is served with. The kernel would say EINVAL to most of this, without saying
// to which word.
import { idMask } from "./id-list.ts";
import { InvalidSpec, invalidField } from "./invalid-spec.ts";
import type { Process, Scheduler } from "./process.ts";
import type { ContainerSpec } from "./valid-spec.ts";

const AT = "process.scheduler";

/** setpriority(2), sched(7) */
const NICE = { least: -20, most: 19 } as const;
const PRIORITY = { least: 1, most: 99 } as const;

export function validScheduler({ scheduler }: Process): void {
  if (scheduler === undefined) return;
  const { policy, nice = 0, priority = 0 } = scheduler;
  if (policy === "SCHED_ISO") throw new InvalidSpec(`${AT}.policy: no kernel has ${policy}`);
  if (nice < NICE.least || nice > NICE.most) throw invalidField(`${AT}.nice`, String(nice));
  if (policy === "SCHED_FIFO" || policy === "SCHED_RR") {
    if (priority < PRIORITY.least || priority > PRIORITY.most)
      throw invalidField(`${AT}.priority`, String(priority));
  } else if (priority !== 0) {
    throw new InvalidSpec(`${AT}.priority: only SCHED_FIFO and SCHED_RR have one`);
  }
  checkDeadline(scheduler);
}

/** sched(7): runtime ≤ deadline ≤ period; a period of 0 is the deadline. */
function checkDeadline({ policy, runtime = 0, deadline = 0, period = 0 }: Scheduler): void {
  if (policy !== "SCHED_DEADLINE") {
    const times = Object.entries({ runtime, deadline, period });
    const [given] = times.find(([, time]) => time !== 0) ?? [];
    if (given !== undefined) throw new InvalidSpec(`${AT}.${given}: only SCHED_DEADLINE has one`);
    return;
  }
  const end = period || deadline;
  if (runtime === 0) throw invalidField(`${AT}.runtime`, String(runtime));
  if (deadline < runtime || deadline > end) throw invalidField(`${AT}.deadline`, String(deadline));
}

/** The level shares a word with the class (ioprio_set(2)): out of range it would change the class. */
export function validIoPriority({ ioPriority }: Process): void {
  const { priority = 0 } = ioPriority ?? {};
  if (priority < 0 || priority > 7)
    throw invalidField("process.ioPriority.priority", String(priority));
}

export function validCpuAffinity({ execCPUAffinity = {} }: Process): void {
  for (const [moment, list] of Object.entries(execCPUAffinity))
    requireIds(`process.execCPUAffinity.${moment}`, list ?? "");
}

/** set_mempolicy(2): which modes are about nodes. */
export function validMemoryPolicy({ linux: { memoryPolicy } }: ContainerSpec): void {
  if (memoryPolicy === undefined) return;
  const { mode, nodes = "", flags = [] } = memoryPolicy;
  const at = "linux.memoryPolicy";
  if (mode === "MPOL_DEFAULT" || mode === "MPOL_LOCAL") {
    if (nodes !== "") throw new InvalidSpec(`${at}.nodes: ${mode} takes none`);
  } else if (mode !== "MPOL_PREFERRED" || nodes !== "") {
    requireIds(`${at}.nodes`, nodes);
  }
  if (flags.includes("MPOL_F_STATIC_NODES") && flags.includes("MPOL_F_RELATIVE_NODES"))
    throw new InvalidSpec(`${at}.flags: nodes are either static or relative`);
}

function requireIds(field: string, list: string): void {
  if (idMask(field, list).length === 0) throw new InvalidSpec(`${field} names none`);
}
