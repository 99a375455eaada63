// What devices a container can use: the list of v1, through the agent's protocol.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import type { TestAgent } from "../support/agent.ts";
import { hierarchies } from "../support/cgroup.ts";
import { type TestContainer, createContainer, idleContainer } from "../support/container.ts";
import {
  type Rules,
  denyAll,
  limited,
  testDevicePolicy,
  undriven,
} from "../support/device-policy.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const root = hierarchies.find(({ controllers }) => controllers.includes("devices"))?.mountPoint;
const onV1 = (title: string, body: () => Promise<void>) =>
  test.skipIf(root === undefined)(
    `${title}${root === undefined ? " (skipped: needs the v1 controller devices)" : ""}`,
    body,
  );

describeWithAgent("The devices of a container", (agent) => {
  testDevicePolicy(onV1, agent);

  onV1("that an update does not change stay in the list", async () => {
    await using container = await idleContainer(agent(), limited([]));
    const before = listOf(agent(), container);
    const update = (Devices: Rules) =>
      agent().client.call(method.updateContainer, {
        containerId: container.containerId,
        resources: { Devices },
      });
    await update([undriven(true, "rw")]);
    expect(listOf(agent(), container)).toEqual([...before, "c 4001:7 rw"]);
    const hole = [{ Allow: true, Type: "c", Major: 9n, Minor: -1n, Access: "r" }];
    const refused = update([
      ...hole,
      { Allow: false, Type: "c", Major: 9n, Minor: 1n, Access: "r" },
    ]);
    expect((await refusalOf(refused)).code).toBe(Code.INVALID_ARGUMENT);
    expect(listOf(agent(), container)).toEqual([...before, "c 4001:7 rw"]);
    await update([denyAll]);
    expect(listOf(agent(), container)).toEqual(before);
  });

  onV1("are refused by the rule's name, and nothing is made", async () => {
    const before = agent().held();
    const hole = { Allow: true, Type: "c", Major: 4001n, Minor: -1n, Access: "rw" };
    const created = createContainer(agent(), ["true"], limited([hole, undriven(false, "w")]));
    expect(await refusalOf(created)).toEqual({
      code: Code.INVALID_ARGUMENT,
      message:
        "linux.resources.devices[1]: c 4001:7 w is a part of c 4001:*, from which nothing can be taken",
    });
    await agent().untilHeld(before);
  });
});

function listOf(agent: TestAgent, { containerId }: TestContainer): string[] {
  const text = readFileSync(`${root}/${agent.cgroup}/${containerId}/devices.list`, "utf8");
  return text.trim().split("\n");
}
