// The agent's end where it is a service: every call is answered first.
import { describe, expect, test } from "bun:test";
import { within } from "../../src/async/timeout.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { type TestContainer, idleContainer } from "../support/container.ts";
import { cgroupsNamed, directoriesIn } from "../support/held.ts";

const { method } = AgentService;
const PARKED = 50;

/** Below what the agent gives calls before it cuts them off, so that none was. */
const RELEASED_IN_MS = 3000;

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;
const describeRoot = (title: string, body: () => void) =>
  describe.skipIf(missing !== undefined)(title + why, body);

/** Calls that wait for as long as the container does nothing, of every kind there is. */
async function park(agent: TestAgent, container: TestContainer): Promise<Promise<string>[]> {
  const { containerId } = container;
  const id = { containerId, execId: containerId };
  const kinds = [
    () => agent.client.call(method.waitProcess, id),
    () => agent.client.call(method.getOOMEvent, {}),
    () => agent.client.call(method.readStdout, { ...id, len: 1024 }),
    () => agent.client.call(method.readStderr, { ...id, len: 1024 }),
    // More than a pipe holds.
    () => agent.client.call(method.writeStdin, { ...id, data: new Uint8Array(1 << 17) }),
  ];
  const calls = Array.from({ length: PARKED }, (_, i) => kinds[i % kinds.length] ?? kinds[0]);
  const parked = calls.map(async (call) => {
    try {
      await call?.();
      return "answered";
    } catch (error) {
      return String(error);
    }
  });
  // Answers come in the order of the calls where nothing waits: all of them have arrived by then.
  await agent.client.call(method.getGuestDetails, {});
  return parked;
}

/** None was cut off. */
async function expectAnswers(parked: readonly Promise<string>[]): Promise<void> {
  const outcomes = await Promise.all(parked);
  expect(outcomes).toHaveLength(PARKED);
  expect(outcomes.filter((outcome) => /lost|closed|ECONN/i.test(outcome))).toEqual([]);
}

const cgroupsOf = (agent: TestAgent) => cgroupsNamed(agent.cgroup).flatMap(directoriesIn);

describeRoot("an agent that is a service", () => {
  test(`answers ${PARKED} calls that wait, then DestroySandbox, and ends with status 0`, async () => {
    await using agent = await TestAgent.start();
    const container = await idleContainer(agent);
    const parked = await park(agent, container);
    const destroyed = agent.client.call(method.destroySandbox, {});
    expect(await within(agent.exited, RELEASED_IN_MS)).toBe(true);
    await destroyed;
    await expectAnswers(parked);
    expect(await agent.exited).toBe(0);
  });

  test("does the same when systemd ends it, and leaves no container behind", async () => {
    await using agent = await TestAgent.start();
    const container = await idleContainer(agent);
    const parked = await park(agent, container);
    expect(cgroupsOf(agent).length).toBeGreaterThan(0);
    process.kill(agent.pid, "SIGTERM");
    // Once is enough, and twice is no more.
    process.kill(agent.pid, "SIGTERM");
    expect(await within(agent.exited, RELEASED_IN_MS)).toBe(true);
    await expectAnswers(parked);
    expect(await agent.exited).toBe(0);
    expect(cgroupsOf(agent)).toEqual([]);
    expect(agent.log).not.toContain('"msg":"shutdown"');
  });

  test("takes no call any more once it ends, and connections without one are closed", async () => {
    await using agent = await TestAgent.start();
    using other = await agent.connect();
    await other.call(method.getGuestDetails, {});
    await agent.client.call(method.destroySandbox, {});
    await expect(other.call(method.getGuestDetails, {})).rejects.toThrow();
    await agent.exited;
    await expect(agent.connect()).rejects.toThrow();
  });
});
