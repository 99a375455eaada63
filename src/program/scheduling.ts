// What the process is served with, and as which kind of machine the kernel shows itself.
import {
  ioprio_set,
  personality as setPersonality,
  sched_setaffinity,
  sched_setattr,
  set_mempolicy,
} from "../linux/scheduling.ts";
import { IOPRIO_CLASS, MPOL, MPOL_F, PER, SCHED, SCHED_FLAG } from "../linux/scheduling-flags.ts";
import { idMask } from "../oci/id-list.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { ExecCpuAffinity, IoPriority, Process, Scheduler } from "../oci/process.ts";
import type { Linux, MemoryPolicy } from "../oci/spec.ts";
import { type LabelledCall, skip, type Tape } from "../tape/tape.ts";

/** Of the container, for its first process and every exec. */
export type Served = Pick<Linux, "personality" | "memoryPolicy">;

/**
 * Where the process runs until it is in the container's cgroup. One that was born in it never runs
 * elsewhere: processors that the cgroup does not have are none of its business then.
 */
export function setInitialAffinity(
  tape: Tape,
  { initial }: ExecCpuAffinity,
  isBornInCgroup: boolean,
): void {
  if (initial === undefined) return;
  const field = "process.execCPUAffinity.initial";
  const call = sched_setaffinity(idMask(field, initial));
  tape.do(`set ${field} to ${initial}`, call, isBornInCgroup ? { EINVAL: skip } : {});
}

/** In the cgroup, whose processors are all that the kernel lets it have. */
export function setFinalAffinity(tape: Tape, { final }: ExecCpuAffinity): void {
  if (final === undefined) return;
  const field = "process.execCPUAffinity.final";
  tape.do(`set ${field} to ${final}`, sched_setaffinity(idMask(field, final)));
}

/** As root, which may give the process more than others get; of process `pid`, 0: the caller. */
export function schedulingCalls(
  pid: number,
  { scheduler, ioPriority }: Process,
): readonly LabelledCall[] {
  return [
    ...(scheduler === undefined ? [] : [schedulerCall(pid, scheduler)]),
    ...(ioPriority === undefined ? [] : [ioPriorityCall(pid, ioPriority)]),
  ];
}

/** The machine that the process sees, and the memory that it gets of it. */
export function setMachine(tape: Tape, { personality, memoryPolicy }: Served): void {
  if (personality !== undefined) {
    const { domain } = personality;
    tape.do(`set linux.personality to ${domain}`, setPersonality(numberOf(PER, "", domain)));
  }
  if (memoryPolicy !== undefined) setMemoryPolicy(tape, memoryPolicy);
}

function schedulerCall(pid: number, scheduler: Scheduler): LabelledCall {
  const { policy, nice = 0, priority = 0, flags = [] } = scheduler;
  const { runtime = 0, deadline = 0, period = 0 } = scheduler;
  const attr = {
    policy: numberOf(SCHED, "SCHED_", policy),
    flags: bitsOf(SCHED_FLAG, "SCHED_FLAG_", flags),
    nice,
    priority,
    runtime,
    deadline,
    period,
  };
  return { label: `set process.scheduler to ${policy}`, call: sched_setattr(attr, pid) };
}

function ioPriorityCall(pid: number, { class: name, priority = 0 }: IoPriority): LabelledCall {
  const call = ioprio_set(numberOf(IOPRIO_CLASS, "IOPRIO_CLASS_", name), priority, pid);
  return { label: `set process.ioPriority to ${name} ${priority}`, call };
}

function setMemoryPolicy(tape: Tape, { mode, nodes = "", flags = [] }: MemoryPolicy): void {
  const bits = numberOf(MPOL, "MPOL_", mode) | bitsOf(MPOL_F, "MPOL_F_", flags);
  const call = set_mempolicy(bits, idMask("linux.memoryPolicy.nodes", nodes));
  tape.do(`set linux.memoryPolicy to ${[mode, ...flags, nodes].join(" ").trimEnd()}`, call);
}

function bitsOf(
  table: Readonly<Record<string, number>>,
  prefix: string,
  names: readonly string[],
): number {
  return names.reduce((bits, name) => bits | numberOf(table, prefix, name), 0);
}

/** The spec's words are the kernel's, with a prefix. */
function numberOf(table: Readonly<Record<string, number>>, prefix: string, name: string): number {
  const number = table[name.replace(prefix, "")];
  if (number === undefined) throw new InvalidSpec(`no kernel has ${name}`);
  return number;
}
