// GetOOMEvent on this machine's v1 memory cgroups, with containers that the kernel really kills.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { hierarchies } from "../support/cgroup.ts";
import { idleContainer, startContainer } from "../support/container.ts";
import { EAT, limited, nextId, starve, testOomEvents } from "../support/oom-events.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const has = hierarchies.some(({ controllers }) => controllers.includes("memory"));
const onV1 = (title: string, body: () => Promise<void>) =>
  test.skipIf(!has)(`${title}${has ? "" : " (skipped: needs the v1 controller memory)"}`, body);

describeWithAgent("GetOOMEvent", (agent) => {
  testOomEvents(onV1, agent);

  onV1("names it again when it happens again", async () => {
    await using container = await idleContainer(agent(), limited);
    for (let i = 0; i < 3; i++) {
      expect((await container.run(["sh", "-c", EAT])).status).toBe(137);
      expect(await nextId(agent().client)).toBe(container.containerId);
    }
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
