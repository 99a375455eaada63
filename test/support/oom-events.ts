// GetOOMEvent, asked of any agent: on this machine or in a guest, v1 or v2.
import { expect } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { AgentClient } from "./agent-client.ts";
import { type AgentUnderTest, type Wanted, sh, startContainer } from "./container.ts";

const { method } = AgentService;

const LIMIT = BigInt(16 << 20);
export const limited: Wanted = { linux: { Resources: { Memory: { Limit: LIMIT, Swap: LIMIT } } } };
export const EAT = "x=x; while :; do x=$x$x; done";

export async function nextId(client: AgentClient): Promise<string> {
  return (await client.call(method.getOOMEvent, {})).containerId;
}

/** Run out of memory, and be removed. */
export async function starve(agent: AgentUnderTest): Promise<string> {
  await using container = await startContainer(agent, ["sh", "-c", EAT], limited);
  await container.wait();
  return container.containerId;
}

type Connected = AgentUnderTest & { readonly connect: () => Promise<AgentClient> };

export function testOomEvents(
  onVersion: (title: string, body: () => Promise<void>) => void,
  agent: () => Connected,
): void {
  onVersion("names the container, before its end is known", async () => {
    const order: string[] = [];
    const event = nextId(agent().client).then((id) => (order.push("event"), id));
    await using container = await startContainer(agent(), ["sh", "-c", EAT], limited);
    expect(await container.wait()).toBe(137);
    order.push("exit");
    expect(await event).toBe(container.containerId);
    expect(order).toEqual(["event", "exit"]);
  });

  onVersion("names it also when it was asked only after the container is gone", async () => {
    const id = await starve(agent());
    expect(await nextId(agent().client)).toBe(id);
  });

  onVersion("names it when a process beside the first one was killed", async () => {
    const script = `(${EAT}); echo still here; read line`;
    await using container = await startContainer(agent(), ["sh", "-c", script], limited);
    await container.readUntil("still here\n");
    expect(await nextId(agent().client)).toBe(container.containerId);
  });

  onVersion("names it when an exec was killed", async () => {
    await using container = await startContainer(agent(), ["sleep", "1000"], limited);
    expect((await container.run(["sh", "-c", EAT])).status).toBe(137);
    expect(await nextId(agent().client)).toBe(container.containerId);
  });

  onVersion(
    "tells each event to one of many who wait, and none is lost with a connection",
    async () => {
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
      expect(await Promise.all(calls.slice(0, 2).map(({ call }) => call))).toEqual([
        "lost",
        "lost",
      ]);
      await agent().client.call(method.getGuestDetails, {});
      const id = await starve(agent());
      const [, , last] = calls;
      expect(await last?.call).toBe(id);
      last?.client[Symbol.dispose]();
    },
  );

  onVersion("says nothing of containers that end otherwise", async () => {
    const event = nextId(agent().client);
    await sh(agent(), "exit 137", limited);
    await sh(agent(), "kill -9 $$", limited);
    const id = await starve(agent());
    expect(await event).toBe(id);
  });
}
