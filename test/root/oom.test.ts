// GetOOMEvent on this machine's v1 memory cgroups, with containers that the kernel really kills.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { TestAgent } from "../support/agent.ts";
import { AgentClient } from "../support/agent-client.ts";
import { hierarchies } from "../support/cgroup.ts";
import { type Wanted, sh, startContainer } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const has = hierarchies.some(({ controllers }) => controllers.includes("memory"));
const onV1 = (title: string, body: () => Promise<void>) =>
  test.skipIf(!has)(`${title}${has ? "" : " (skipped: needs the v1 controller memory)"}`, body);

const LIMIT = BigInt(16 << 20);
const limited: Wanted = { linux: { Resources: { Memory: { Limit: LIMIT, Swap: LIMIT } } } };
const EAT = "x=x; while :; do x=$x$x; done";

const eventOf = (client: AgentClient) => client.call(method.getOOMEvent, {});
const nextId = async (client: AgentClient) => (await eventOf(client)).containerId;

/** Run out of memory, and be removed. */
async function starve(agent: TestAgent, script = EAT): Promise<string> {
  await using container = await startContainer(agent, ["sh", "-c", script], limited);
  await container.wait();
  return container.containerId;
}

describeWithAgent("GetOOMEvent", (agent) => {
  onV1("names the container, before its end is known", async () => {
    const order: string[] = [];
    const event = nextId(agent().client).then((id) => (order.push("event"), id));
    await using container = await startContainer(agent(), ["sh", "-c", EAT], limited);
    expect(await container.wait()).toBe(137);
    order.push("exit");
    expect(await event).toBe(container.containerId);
    expect(order).toEqual(["event", "exit"]);
  });

  onV1("names it also when it was asked only after the container is gone", async () => {
    const id = await starve(agent());
    expect(await nextId(agent().client)).toBe(id);
  });

  onV1("names it when a process beside the first one was killed, or an exec", async () => {
    const child = `(${EAT}) ; echo still here`;
    await using container = await startContainer(
      agent(),
      ["sh", "-c", `${child}; read line`],
      limited,
    );
    await container.readUntil("still here\n");
    expect(await nextId(agent().client)).toBe(container.containerId);
    expect((await container.run(["sh", "-c", EAT])).status).toBe(137);
    expect(await nextId(agent().client)).toBe(container.containerId);
  });

  onV1("tells each event to one of many who wait, and none is lost with a connection", async () => {
    const calls = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = await agent().connect();
        const call = nextId(client).catch(() => "lost");
        // Its call has arrived by then.
        await client.call(method.getGuestDetails, {});
        return { client, call };
      }),
    );
    for (const { client } of calls.slice(0, 2)) client[Symbol.dispose]();
    expect(await Promise.all(calls.slice(0, 2).map(({ call }) => call))).toEqual(["lost", "lost"]);
    await agent().client.call(method.getGuestDetails, {});
    const id = await starve(agent());
    const [, , last] = calls;
    expect(await last?.call).toBe(id);
    last?.client[Symbol.dispose]();
  });

  onV1("says nothing of containers that end otherwise", async () => {
    const event = nextId(agent().client);
    await sh(agent(), "exit 137", limited);
    await sh(agent(), "kill -9 $$", limited);
    const id = await starve(agent());
    expect(await event).toBe(id);
  });
});

describeWithAgent("GetOOMEvent in a pod", (agent) => {
  onV1("says nothing of the pod's own container", async () => {
    await agent().client.call(method.createSandbox, { sandboxId: "pod", hostname: "pod" });
    const event = nextId(agent().client);
    {
      const own = { ...limited, id: "pod" };
      await using container = await startContainer(agent(), ["sh", "-c", EAT], own);
      expect(await container.wait()).toBe(137);
    }
    expect(await starve(agent())).toBe(await event);
  });
});
