import { describe, expect, test } from "bun:test";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import type { Process, Scheduler } from "../../../src/oci/process.ts";
import type { MemoryPolicy } from "../../../src/oci/spec.ts";
import { validateProcess } from "../../../src/oci/validate-process.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import { minimalProcess, withLinux } from "../../support/oci-spec.ts";

const validate = (change: Partial<Process>) => validateProcess({ ...minimalProcess, ...change });
const policy = (memoryPolicy: MemoryPolicy) => validateSpec(withLinux({ memoryPolicy }));

describe("process.scheduler", () => {
  test.each<[Scheduler, string]>([
    [{ policy: "SCHED_ISO" }, "process.scheduler.policy: no kernel has SCHED_ISO"],
    [{ policy: "SCHED_OTHER", nice: 20 }, 'invalid process.scheduler.nice: "20"'],
    [{ policy: "SCHED_BATCH", nice: -21 }, 'invalid process.scheduler.nice: "-21"'],
    [{ policy: "SCHED_FIFO" }, 'invalid process.scheduler.priority: "0"'],
    [{ policy: "SCHED_RR", priority: 100 }, 'invalid process.scheduler.priority: "100"'],
    [
      { policy: "SCHED_OTHER", priority: 1 },
      "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one",
    ],
    [{ policy: "SCHED_IDLE", period: 1 }, "process.scheduler.period: only SCHED_DEADLINE has one"],
    [{ policy: "SCHED_DEADLINE" }, 'invalid process.scheduler.runtime: "0"'],
    [
      { policy: "SCHED_DEADLINE", runtime: 2, deadline: 1 },
      'invalid process.scheduler.deadline: "1"',
    ],
    [
      { policy: "SCHED_DEADLINE", runtime: 1, deadline: 3, period: 2 },
      'invalid process.scheduler.deadline: "3"',
    ],
  ])("%j is refused", (scheduler, message) => {
    expect(() => validate({ scheduler })).toThrow(InvalidSpec);
    expect(() => validate({ scheduler })).toThrow(message);
  });

  test.each<Scheduler>([
    { policy: "SCHED_OTHER", nice: 19 },
    { policy: "SCHED_BATCH", nice: -20 },
    { policy: "SCHED_FIFO", priority: 1 },
    { policy: "SCHED_RR", priority: 99, flags: ["SCHED_FLAG_RESET_ON_FORK"] },
    { policy: "SCHED_DEADLINE", runtime: 10, deadline: 20 },
    { policy: "SCHED_DEADLINE", runtime: 10, deadline: 20, period: 20 },
  ])("%j is accepted", (scheduler) => {
    expect(validate({ scheduler }).scheduler).toEqual(scheduler);
  });
});

test.each([
  [{ initial: "x" }, 'process.execCPUAffinity.initial: "x" is no number or range'],
  [{ initial: "0", final: "," }, "process.execCPUAffinity.final names none"],
])("process.execCPUAffinity %j is refused", (execCPUAffinity, message) => {
  expect(() => validate({ execCPUAffinity })).toThrow(message);
});

describe("linux.memoryPolicy", () => {
  test.each<[MemoryPolicy, string]>([
    [{ mode: "MPOL_BIND" }, "linux.memoryPolicy.nodes names none"],
    [{ mode: "MPOL_INTERLEAVE", nodes: " , " }, "linux.memoryPolicy.nodes names none"],
    [{ mode: "MPOL_PREFERRED", nodes: "a" }, 'linux.memoryPolicy.nodes: "a" is no number or range'],
    [{ mode: "MPOL_DEFAULT", nodes: "0" }, "linux.memoryPolicy.nodes: MPOL_DEFAULT takes none"],
    [{ mode: "MPOL_LOCAL", nodes: "0" }, "linux.memoryPolicy.nodes: MPOL_LOCAL takes none"],
    [
      { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"] },
      "linux.memoryPolicy.flags: nodes are either static or relative",
    ],
  ])("%j is refused", (memoryPolicy, message) => {
    expect(() => policy(memoryPolicy)).toThrow(InvalidSpec);
    expect(() => policy(memoryPolicy)).toThrow(message);
  });

  test.each<MemoryPolicy>([
    { mode: "MPOL_DEFAULT" },
    { mode: "MPOL_LOCAL" },
    { mode: "MPOL_PREFERRED" },
    { mode: "MPOL_PREFERRED", nodes: "0" },
    { mode: "MPOL_BIND", nodes: "0-1", flags: ["MPOL_F_STATIC_NODES"] },
  ])("%j is accepted", (memoryPolicy) => {
    expect(policy(memoryPolicy).linux.memoryPolicy).toEqual(memoryPolicy);
  });
});

test.each<[Partial<Process>, string]>([
  [{ user: { uid: 0, gid: 0, umask: 0o1000 } }, 'invalid process.user.umask: "01000"'],
  [{ consoleSize: { height: 65_536, width: 1 } }, 'invalid process.consoleSize.height: "65536"'],
  [{ consoleSize: { height: 1, width: 70_000 } }, 'invalid process.consoleSize.width: "70000"'],
])("what the kernel would cut is refused: %j", (change, message) => {
  expect(() => validate(change)).toThrow(message);
});
