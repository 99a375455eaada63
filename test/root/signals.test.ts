// SignalProcess: what reaches whom (users.md P16; rpc.md 6.6 and 11.11, scenarios 4 and 5).
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { until } from "../../src/async/until.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { TestAgent } from "../support/agent.ts";
import {
  SIGKILL,
  type TestProcess,
  createContainer,
  idleContainer,
  startContainer,
} from "../support/container.ts";
import { cgroupsNamed } from "../support/held.ts";
import { statusOf } from "../support/proc-status.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const [SIGTERM, SIGCONT, SIGSTOP] = [15, 18, 19];
/** Used by the C library for itself: no program can catch these. */
const OF_LIBC = [32, 33];
const NUMBERS = Array.from({ length: 64 }, (_, index) => index + 1);
const CAUGHT = NUMBERS.filter((number) => ![SIGKILL, SIGSTOP, ...OF_LIBC].includes(number));

const gone = { code: Code.NOT_FOUND, message: expect.stringContaining("ESRCH: No such process") };

/** Says which signal it has caught, and goes on. Its only system call is the read that they end. */
const CATCHER = [
  `for n in ${CAUGHT.join(" ")}; do trap "echo caught $n" $n; done`,
  'echo ready; while :; do read line && [ "$line" = end ] && exit 0; done',
].join("\n");

describeWithAgent("a signal", (agent) => {
  test("of each number that can be caught reaches an exec once", async () => {
    await using container = await idleContainer(agent());
    await expectEachOnce(await container.exec(["sh", "-c", CATCHER]));
  });

  test("of each number that can be caught reaches a container's first process once", async () => {
    await using container = await startContainer(agent(), ["sh", "-c", CATCHER]);
    await expectEachOnce(container);
  });

  async function expectEachOnce(process: TestProcess): Promise<void> {
    await process.readUntil("ready\n");
    const caught: string[] = [];
    for (const number of CAUGHT) {
      await process.signal(number);
      caught.push(await process.readUntil("\n"));
    }
    expect(caught).toEqual(CAUGHT.map((number) => `caught ${number}\n`));
    await process.write("end\n");
    // Had one come twice, it would be here.
    expect((await process.readToEnd()).toString()).toBe("");
    expect(await process.wait()).toBe(0);
  }

  test.each([SIGKILL, ...OF_LIBC, 6, 11, 64])(
    "of number %p ends who cannot catch it",
    async (n) => {
      await using container = await idleContainer(agent());
      const exec = await container.exec(["sleep", "1000"]);
      await exec.signal(n);
      expect(await exec.wait()).toBe(128 + n);
    },
  );

  test("stops a process, and another lets it go on", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["cat"]);
    const stateOfCat = async () => {
      const { stdout } = await container.run(["sh", "-c", "cat /proc/[0-9]*/status"]);
      const [, own = ""] = /Name:\tcat\n((?:.*\n)*?)PPid:\t0\n/.exec(stdout) ?? [];
      return statusOf(own)["State"]?.[0];
    };
    await exec.signal(SIGSTOP);
    expect(await until(async () => (await stateOfCat()) === "T", 5000)).toBe(true);
    await exec.signal(SIGCONT);
    await exec.write("goes on\n");
    expect(await exec.readUntil("\n")).toBe("goes on\n");
    await exec.closeStdin();
    expect(await exec.wait()).toBe(0);
  });

  test("of number 0 asks only, and one that there is none of is refused", async () => {
    await using container = await idleContainer(agent());
    await container.signal(0);
    for (const number of [65, 1000, 0xffff_ffff]) {
      const { code, message } = await refusalOf(container.signal(number));
      expect(code).toBe(Code.INTERNAL);
      expect(message).toContain("EINVAL: Invalid argument");
    }
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("to a process that has ended is nothing until it is waited for", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["true"]);
    await exec.readToEnd();
    await exec.signal(SIGTERM);
    await exec.signal(SIGKILL);
    expect(await exec.wait()).toBe(0);
    expect(await refusalOf(exec.signal(SIGTERM))).toMatchObject(gone);
    for (let i = 0; i < 3; i++) await container.killAll();
    expect(await container.wait()).toBe(128 + SIGKILL);
    await container.killAll();
    expect(await refusalOf(container.signal(SIGTERM))).toMatchObject(gone);
  });

  test("to whom there is none of is refused by the code that hosts look for", async () => {
    await using container = await idleContainer(agent());
    const unknown = await container.exec(["true"]);
    await unknown.wait();
    expect(await refusalOf(unknown.signal(SIGTERM))).toMatchObject(gone);
    const removed = await idleContainer(agent());
    await removed.remove();
    expect((await refusalOf(removed.signal(SIGTERM))).code).toBe(Code.INVALID_ARGUMENT);
    expect((await refusalOf(removed.killAll())).code).toBe(Code.INTERNAL);
  });
});

describeWithAgent("SIGTERM", (agent) => {
  test("becomes SIGKILL for a first process that does nothing with it", async () => {
    await using running = await idleContainer(agent());
    await running.signal(SIGTERM);
    expect(await running.wait()).toBe(128 + SIGKILL);
    await using created = await createContainer(agent(), ["true"]);
    await created.signal(SIGTERM);
    expect(await created.wait()).toBe(128 + SIGKILL);
  });

  test("is left to a first process that catches or ignores it", async () => {
    const catches = "trap 'exit 11' TERM; echo ready; while :; do read line; done";
    await using catching = await startContainer(agent(), ["sh", "-c", catches]);
    await catching.readUntil("ready");
    await catching.signal(SIGTERM);
    expect(await catching.wait()).toBe(11);
    const ignores = "trap '' TERM; echo ready; read line; exit 12";
    await using ignoring = await startContainer(agent(), ["sh", "-c", ignores]);
    await ignoring.readUntil("ready");
    await ignoring.signal(SIGTERM);
    await ignoring.write("go\n");
    expect(await ignoring.wait()).toBe(12);
  });

  test("is just that for an exec", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["sleep", "1000"]);
    await exec.signal(SIGTERM);
    expect(await exec.wait()).toBe(128 + SIGTERM);
  });
});

describeWithAgent("SIGKILL for all of a container", (agent) => {
  test("ends 100 descendants, in nested cgroups too, and nobody of another container", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await using _ = await idleContainer(pod, { request });
    const script = "for i in $(seq 100); do setsid sleep 1000 & done; echo born; sleep 1000";
    await using container = await startContainer(pod, ["sh", "-c", script], { request });
    await container.readUntil("born");
    nestHalf(`${pod.cgroup}/${container.containerId}`);
    await container.killAll();
    expect(await container.wait()).toBe(128 + SIGKILL);
    // Those whose parent is gone are left as zombies by the first container, which reaps nobody.
    const alive = () => pod.held().processes.filter((each) => !each.startsWith("zombie"));
    await until(() => alive().length === 1, 5000);
    expect(alive()).toEqual(["sleep"]);
  });

  test("reaches a container that is paused, and one that is not started", async () => {
    await using paused = await idleContainer(agent());
    await paused.pause();
    await paused.killAll();
    expect(await paused.wait()).toBe(128 + SIGKILL);
    await using created = await createContainer(agent(), ["true"]);
    await created.killAll();
    expect(await created.wait()).toBe(128 + SIGKILL);
  });

  test("gives an exec its status, too", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["sleep", "1000"]);
    await container.killAll();
    expect(await Promise.all([exec.wait(), container.wait()])).toEqual([137, 137]);
  });
});

/** Move half of the cgroup's processes into one that is nested in it, in each hierarchy. */
function nestHalf(name: string): void {
  // A new cpuset takes nobody before it has been given processors.
  for (const own of cgroupsNamed(name).filter((path) => !path.includes("cpuset"))) {
    mkdirSync(`${own}/nested`);
    const pids = readFileSync(`${own}/cgroup.procs`, "utf8").trim().split("\n");
    for (const pid of pids.slice(0, pids.length / 2))
      writeFileSync(`${own}/nested/cgroup.procs`, pid);
  }
}
