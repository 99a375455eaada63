// The life of a container and its processes as the host sees it: rpc.md 11.11. Signals, output and
// refusals have files of their own.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { TestAgent } from "../support/agent.ts";
import {
  SIGKILL,
  type TestContainer,
  createContainer,
  idleContainer,
  sh,
  startContainer,
} from "../support/container.ts";
import { inGuest } from "../support/guest.ts";
import { childrenOf } from "../support/held.ts";
import { statusOf } from "../support/proc-status.ts";
import { refusalOf } from "../support/refusal.ts";
import { processMessage } from "../support/spec.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const LONG_MS = 30_000;
const gone = { code: Code.NOT_FOUND, message: expect.stringContaining("Process not found") };

/** Of the agent's children, as it sees them itself. */
function agentPids(agent: TestAgent): number[] {
  return childrenOf(agent.pid).map((pid) => {
    const { NSpid = "" } = statusOf(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(NSpid.split("\t")[1]);
  });
}

describeWithAgent("WaitProcess", (agent) => {
  test("gives all who wait the same status, and then knows the process no more", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["sh", "-c", "read line; exit 42"]);
    const waits = [exec.wait(), exec.wait(), exec.wait()];
    await exec.write("go\n");
    expect(await Promise.all(waits)).toEqual([42, 42, 42]);
    expect(await refusalOf(exec.wait())).toMatchObject(gone);
  });

  test("of the first process leaves the container and its other processes", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await using _ = await idleContainer(pod, { request });
    await using container = await startContainer(pod, ["sh", "-c", "exit 3"], { request });
    expect(await container.wait()).toBe(3);
    expect((await container.run(["sh", "-c", "exit 4"])).status).toBe(4);
  });

  test("is answered late where the caller gives it little time, and can be made again", async () => {
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const asked = { containerId, execId: containerId };
    const wait = agent().client.call(method.waitProcess, asked, { timeoutNano: 50_000_000n });
    expect(await refusalOf(wait)).toEqual({ code: Code.DEADLINE_EXCEEDED, message: "timeout" });
    const again = container.wait();
    await container.killAll();
    expect(await again).toBe(128 + SIGKILL);
  });

  test("knows the first process by the container's id, and by no name at all", async () => {
    await using container = await startContainer(agent(), ["sh", "-c", "exit 6"]);
    const { containerId } = container;
    const names = ["", containerId].map((execId) => ({ containerId, execId }));
    const answers = names.map((name) => agent().client.call(method.waitProcess, name));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([6, 6]);
  });

  test("can be made 2,000 times at once, and all are answered when the process ends", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["sh", "-c", "read line; exit 9"]);
    const waits = Array.from({ length: 2000 }, () => exec.wait());
    await exec.write("go\n");
    expect(new Set(await Promise.all(waits))).toEqual(new Set([9]));
  });

  test("ends when the container is removed", async () => {
    const container = await idleContainer(agent());
    const exec = await container.exec(["sleep", "1000"]);
    const ends = Promise.allSettled([exec.wait(), container.wait()]);
    await container.remove();
    const said = (await ends).map((end) =>
      end.status === "fulfilled" ? end.value : `${end.reason}`,
    );
    // It may hear of the end that the removal brought about, or of the removal itself.
    for (const each of said) expect([137, "StatusError: Invalid container id"]).toContain(each);
  });

  test("reports each of 100 short processes right, of parents and orphans at once", async () => {
    await using container = await idleContainer(agent());
    const codes = Array.from({ length: 100 }, (_, index) => index);
    const ends = codes.map(async (code) => {
      const script = `(sh -c 'sleep 0.001 &' &) 2>/dev/null; exit ${code}`;
      return (await container.exec(["sh", "-c", script])).wait();
    });
    expect(await Promise.all(ends)).toEqual(codes);
  });

  test("tells the processes apart that had the same pid one after the other (D38)", async () => {
    await using first = await idleContainer(agent());
    await using second = await idleContainer(agent());
    /** The next process of the agent's namespace, unless another one is faster, has the pid after. */
    const born = async (container: TestContainer, status: number) => {
      inGuest(agent(), "sh", "-c", "echo 20000 > /proc/sys/kernel/ns_last_pid");
      const process = await container.exec(["sh", "-c", `read line; exit ${status}`]);
      const later = () => agentPids(agent()).filter((each) => each > 20_000);
      // The one that it was forked by may not have gone yet.
      expect(await until(() => later().length === 1, 5000)).toBe(true);
      return { process, pid: later()[0] };
    };
    const one = await born(first, 3);
    await one.process.write("go\n");
    await one.process.readToEnd();
    expect(await until(() => !agentPids(agent()).includes(one.pid ?? 0), 5000)).toBe(true);
    let other = await born(second, 4);
    // A thread of the agent's may have been faster.
    for (let times = 1; other.pid !== one.pid && times < 20; times++) {
      await other.process.write("go\n");
      await other.process.wait();
      other = await born(second, 4);
    }
    expect(other.pid).toBe(Number(one.pid));
    await other.process.write("go\n");
    expect([await other.process.wait(), await one.process.wait()]).toEqual([4, 3]);
  });
});

describeWithAgent("StartContainer", (agent) => {
  test("is refused a second time, and the container goes on (D10)", async () => {
    await using container = await idleContainer(agent());
    const refusal = await refusalOf(container.start());
    expect(refusal.code).toBe(Code.INTERNAL);
    expect(refusal.message).toContain("is running, want created");
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("is refused when the first process has ended, and the agent goes on (D10)", async () => {
    await using container = await createContainer(agent(), ["true"]);
    await container.killAll();
    const wait = container.wait();
    const refusal = await refusalOf(container.start());
    expect(refusal.code).toBe(Code.INTERNAL);
    expect(await wait).toBe(128 + SIGKILL);
    expect((await refusalOf(container.start())).message).toContain("has ended");
    await agent().client.call(Health.method.check, {});
  });

  test(
    "goes well for what ends at once, each time",
    async () => {
      const rootfs = agent().rootfs();
      for (let i = 0; i < 100; i++)
        expect((await sh(agent(), "exit 1", { rootfs })).status).toBe(1);
    },
    LONG_MS,
  );
});

describeWithAgent("ExecProcess", (agent) => {
  test("with the id of a live process is refused, and the id is free when that was waited for", async () => {
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const asked = { containerId, execId: "the-same" };
    const exec = (...args: string[]) =>
      agent().client.call(method.execProcess, { ...asked, process: processMessage(args) });
    await exec("sh", "-c", "exit 1");
    expect(await refusalOf(exec("true"))).toEqual({
      code: Code.INTERNAL,
      message: "exec_id 'the-same' already exists",
    });
    expect((await agent().client.call(method.waitProcess, asked)).status).toBe(1);
    await exec("sh", "-c", "exit 2");
    expect((await agent().client.call(method.waitProcess, asked)).status).toBe(2);
  });

  test("into a paused container is refused, and after resume it goes on (D22)", async () => {
    await using container = await idleContainer(agent());
    await container.pause();
    const refusal = await refusalOf(container.exec(["true"]));
    expect(refusal.code).toBe(Code.INTERNAL);
    expect(refusal.message).toContain("is paused");
    await container.resume();
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("into a container that is not started yet goes well", async () => {
    await using container = await createContainer(agent(), ["true"]);
    expect((await container.run(["sh", "-c", "exit 8"])).status).toBe(8);
  });

  test("into a container whose first process has ended is refused for that reason", async () => {
    await using container = await startContainer(agent(), ["true"]);
    await container.wait();
    const { code, message } = await refusalOf(container.exec(["true"]));
    expect(code).toBe(Code.INTERNAL);
    expect(message).toContain("its first process has ended");
  });

  test("into a container that there is none of is refused, and one without a process as well", async () => {
    const process = processMessage(["true"]);
    const exec = (request: object) => agent().client.call(method.execProcess, request);
    const nobody = await refusalOf(exec({ containerId: "nobody", execId: "e", process }));
    expect(nobody).toMatchObject({
      code: Code.INTERNAL,
      message: expect.stringContaining("Invalid container id"),
    });
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const empty = await refusalOf(exec({ containerId, execId: "e" }));
    expect(empty.code).toBe(Code.INVALID_ARGUMENT);
    for (const execId of ["", "a\0b", "x".repeat(300)]) {
      const refusal = await refusalOf(exec({ containerId, execId, process }));
      expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    }
  });

  test("can be made 100 times at once", async () => {
    await using container = await idleContainer(agent());
    const runs = Array.from({ length: 100 }, (_, i) => container.run(["sh", "-c", `echo ${i}`]));
    expect((await Promise.all(runs)).map(({ stdout }) => Number(stdout))).toEqual([
      ...Array(100).keys(),
    ]);
  });
});

describeWithAgent("PauseContainer", (agent) => {
  test("stops all processes, and ResumeContainer lets them go on", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["cat"]);
    await container.pause();
    await exec.write("while paused\n");
    const read = exec.read();
    for (let i = 0; i < 20; i++) await agent().client.call(Health.method.check, {});
    expect(Bun.peek.status(read)).toBe("pending");
    expect((await refusalOf(container.pause())).message).toContain("current status is: Paused");
    await container.resume();
    expect(Buffer.from(await read).toString()).toBe("while paused\n");
    expect((await refusalOf(container.resume())).message).toContain("is: Running, not paused");
  });

  test("holds a container that is not started, which can be started afterwards", async () => {
    await using container = await createContainer(agent(), ["sh", "-c", "exit 5"]);
    await container.pause();
    expect((await refusalOf(container.start())).message).toContain("is paused, want created");
    await container.resume();
    await container.start();
    expect(await container.wait()).toBe(5);
  });
});

describeWithAgent("RemoveContainer", (agent) => {
  test("ends whatever runs, paused too, and frees the id", async () => {
    const before = agent().held();
    const id = agent().freshId();
    for (const isPaused of [false, true]) {
      const container = await idleContainer(agent(), { id });
      await container.exec(["sh", "-c", "sleep 1000 & sleep 1000"]);
      if (isPaused) await container.pause();
      await container.remove();
      expect(agent().held()).toEqual(before);
    }
  });

  test("is refused a second time, and for what there is none of", async () => {
    const container = await idleContainer(agent());
    await container.remove();
    for (const containerId of [container.containerId, "nobody", "../..", ""]) {
      const refusal = await refusalOf(agent().client.call(method.removeContainer, { containerId }));
      expect(refusal.code).toBe(Code.INTERNAL);
      expect(refusal.message).toContain("Invalid container id");
    }
  });

  test("may come several times at once, among other calls: each is answered", async () => {
    const before = agent().held();
    const container = await idleContainer(agent());
    const calls = [
      container.exec(["sleep", "1000"]),
      container.remove(),
      container.exec(["true"]),
      container.pause(),
      container.remove(),
      container.killAll(),
      container.start(),
    ];
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes[1]?.status).toBe("fulfilled");
    const texts = outcomes.flatMap((each) =>
      each.status === "rejected" ? [`${each.reason}`] : [],
    );
    expect(texts.filter((text) => /closed descriptor|undefined|TypeError/.test(text))).toEqual([]);
    await agent().untilHeld(before);
  });
});

describeWithAgent("DestroySandbox", () => {
  test("answers, ends every parked call and every process, and then the agent", async () => {
    await using pod = await TestAgent.start();
    await pod.client.call(method.createSandbox, { hostname: "pod", sandboxId: "pod" });
    const container = await idleContainer(pod);
    const exec = await container.exec(["sleep", "1000"]);
    const terminal = await container.exec(["sleep", "1000"], { Terminal: true });
    const parked = Array.from({ length: 50 }, () => [
      ...[exec, terminal, container].flatMap((each) => [each.wait(), each.read()]),
      exec.read("readStderr"),
      exec.write(new Uint8Array(1 << 20)),
    ]).flat();
    const settled = Promise.allSettled(parked);
    await pod.client.call(Health.method.check, {});
    const from = performance.now();
    await pod.client.call(method.destroySandbox, {});
    await settled;
    await pod.client.client.closed;
    expect(await pod.exited).toBe(0);
    // Ten times this is what it would give calls that do not end.
    expect(performance.now() - from).toBeLessThan(1000);
  });
});
