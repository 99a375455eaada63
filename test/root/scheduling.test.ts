// What a process is served with, as the kernel says of it. No message of the protocol carries these
// words, so the containers are made by the engine itself.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { missing } from "../support/agent.ts";
import { reapInThisFile } from "../support/child.ts";
import { Engine } from "../support/engine.ts";

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

/** The fields of /proc/PID/stat from the state on (proc_pid_stat(5)). */
const STAT = 'line=$(cat /proc/self/stat); set -- ${line##*) }; shift 16; echo "nice $1"';
const POLICY = "grep -E '^policy' /proc/self/sched | tr -d ' '";

describe.skipIf(missing !== undefined)(`a container${why}`, () => {
  reapInThisFile();
  let engine: Engine;
  beforeAll(() => void (engine = new Engine()));
  afterAll(() => engine[Symbol.asyncDispose]());

  /** The same script as the first process of a container, and as an exec in one that is idle. */
  const both = async (script: string, process: object, linux: object = {}) => {
    const first = await engine.lines(script, { process, linux });
    const id = await engine.create(["sleep", "1000"], { process, linux });
    const container = engine.sandbox.container(id);
    await container.start();
    const exec = await engine.exec(id, script);
    await engine.sandbox.removeContainer(container);
    return { first, exec };
  };

  test("and its execs have the nice value and the policy of process.scheduler", async () => {
    const scheduler = { policy: "SCHED_BATCH", nice: 7 };
    const expected = ["nice 7", "policy:3"];
    const { first, exec } = await both(`${STAT}; ${POLICY}`, { scheduler });
    expect(first).toEqual(expected);
    expect(exec).toEqual(expected);
  });

  test("has a scheduler of its own in an exec that asks for one", async () => {
    const id = await engine.create(["sleep", "1000"], {
      process: { scheduler: { policy: "SCHED_BATCH", nice: 7 } },
    });
    await engine.sandbox.container(id).start();
    const scheduler = { policy: "SCHED_IDLE" };
    expect(await engine.exec(id, POLICY, { scheduler })).toEqual(["policy:5"]);
    await engine.sandbox.removeContainer(engine.sandbox.container(id));
  });

  test("and its execs have the real-time priority of SCHED_FIFO, where their cgroup has time for it", async () => {
    const scheduler = { policy: "SCHED_FIFO", priority: 17 };
    // The kernel shows 99 less the priority.
    const script = "grep -E '^prio' /proc/self/sched | tr -d ' '";
    const asked = both(script, { scheduler });
    if (existsSync("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")) {
      // With CONFIG_RT_GROUP_SCHED a cgroup of v1 begins with no such time.
      await expect(asked).rejects.toThrow("set process.scheduler to SCHED_FIFO: EPERM");
      return;
    }
    expect(await asked).toEqual({ first: ["prio:82"], exec: ["prio:82"] });
  });

  test("and its execs are a 32-bit machine with the personality LINUX32", async () => {
    const linux = { personality: { domain: "LINUX32" } };
    const { first, exec } = await both("cat /proc/self/personality", {}, linux);
    expect([first, exec]).toEqual([["00000008"], ["00000008"]]);
  });

  test("and its execs get memory as linux.memoryPolicy has it", async () => {
    const linux = { memoryPolicy: { mode: "MPOL_BIND", nodes: "0" } };
    const script = "head -n 1 /proc/self/numa_maps | cut -d ' ' -f 2";
    const { first, exec } = await both(script, {}, linux);
    expect([first, exec]).toEqual([["bind:0"], ["bind:0"]]);
  });

  test("and its execs have the class and level of process.ioPriority", async () => {
    const ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 };
    const { first, exec } = await both("ionice", { ioPriority });
    expect([first, exec]).toEqual([["best-effort: prio 6"], ["best-effort: prio 6"]]);
  });

  test.skipIf(availableParallelism() < 2)(
    "runs an exec, and nothing else, on the processors of execCPUAffinity (needs two processors)",
    async () => {
      const allowed = "grep Cpus_allowed_list /proc/self/status | cut -f 2";
      const affinity = (initial: string, final?: string) => ({
        execCPUAffinity: { initial, final },
      });
      expect(await engine.lines(allowed, { process: affinity("1", "1") })).not.toEqual(["1"]);
      const { exec } = await both(allowed, affinity("0", "1"));
      expect(exec).toEqual(["1"]);
      const id = await engine.create(["sleep", "1000"]);
      await engine.sandbox.container(id).start();
      expect(await engine.exec(id, allowed, affinity("1"))).toEqual(["1"]);
      await engine.sandbox.removeContainer(engine.sandbox.container(id));
    },
  );

  test("is refused by the name of the field where the kernel refuses", async () => {
    const asked = (change: Readonly<Record<string, unknown>>) => engine.lines("true", change);
    const scheduler = { policy: "SCHED_DEADLINE", runtime: 1, deadline: 2, period: 3 };
    await expect(asked({ process: { scheduler } })).rejects.toThrow(
      "set process.scheduler to SCHED_DEADLINE: EINVAL",
    );
    const memoryPolicy = { mode: "MPOL_BIND", nodes: "63" };
    await expect(asked({ linux: { memoryPolicy } })).rejects.toThrow(
      "set linux.memoryPolicy to MPOL_BIND 63: EINVAL",
    );
  });

  test("has one session keyring for all its processes", async () => {
    const id = await engine.create(["sleep", "1000"]);
    await engine.sandbox.container(id).start();
    const script = `grep -c '_ses.${id}' /proc/keys; grep '_ses.${id}' /proc/keys | cut -d ' ' -f 1`;
    const [count, serial] = await engine.exec(id, script);
    expect(await engine.exec(id, script)).toEqual([String(count), String(serial)]);
    expect(count).toBe("1");
    await engine.sandbox.removeContainer(engine.sandbox.container(id));
  });
});
