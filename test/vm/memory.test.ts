// A guest whose memory a container eats up.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { SIGKILL, idleContainer, startContainer } from "../support/container.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

/** Hardly more than the agent itself needs, which all of is in memory here. */
const megabytes = 512;

describeWithVm(`A guest of ${megabytes} MB`, { megabytes }, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });

  test("loses the processes that eat its memory, and no other", async () => {
    await using bystander = await idleContainer(vm());
    // A line that never ends, of which tail would show the last.
    const eat = () => startContainer(vm(), ["tail", "/dev/zero"]);
    const eaters = await Promise.all([eat(), eat(), eat()]);
    const statuses = await Promise.all(eaters.map((each) => each.wait()));
    expect(statuses).toEqual(eaters.map(() => 128 + SIGKILL));
    await vm().client.call(Health.method.check, {});
    expect((await bystander.run(["echo", "alive"])).stdout).toBe("alive\n");
    const killed = vm().console.text.matchAll(/Killed process \d+ \((.*?)\)/g);
    expect([...killed].map(([, name]) => name)).toEqual(eaters.map(() => "tail"));
    await Promise.all(eaters.map((each) => each.remove()));
  });

  test("goes on when a container has left no space in its root", async () => {
    const fill = "dd if=/dev/zero of=/file bs=1M 2>&1; echo full; read line; rm /file";
    await using container = await startContainer(vm(), ["sh", "-c", fill]);
    expect(await container.readUntil("full\n")).toContain("No space left on device");
    await using other = await startContainer(vm(), ["echo", "alive"]);
    expect((await other.outcome()).stdout).toBe("alive\n");
    await container.write("\n");
    expect(await container.wait()).toBe(0);
  });
});
