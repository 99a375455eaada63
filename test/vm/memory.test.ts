// A guest whose memory containers eat up.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import {
  SIGKILL,
  type TestContainer,
  idleContainer,
  startContainer,
} from "../support/container.ts";
import type { TestVm } from "../support/vm.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const EATERS = 3;

/** All of the agent is in memory there, and stays. */
const inMemory = { megabytes: 512 };

/** There the kernel can drop the agent's code, and has to read it again while memory is short. */
const onDisk = { megabytes: 256, root: "disk" } as const;

describeWithVm(`A guest of ${inMemory.megabytes} MB, with all files in it`, inMemory, (vm) => {
  createSandbox(vm);
  testHunger(vm);

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

describeWithVm(`A guest of ${onDisk.megabytes} MB, with its files on a disk`, onDisk, (vm) => {
  createSandbox(vm);
  testHunger(vm);
});

function createSandbox(vm: () => TestVm): void {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });
}

function testHunger(vm: () => TestVm): void {
  test("loses the processes that eat its memory, and no other", async () => {
    await using bystander = await idleContainer(vm());
    // A line that never ends, of which tail would show the last.
    const eat = () => startContainer(vm(), ["tail", "/dev/zero"]);
    const eaters = await Promise.all(Array.from({ length: EATERS }, eat));
    const end = async (each: TestContainer) => {
      const status = await each.wait();
      await vm().client.call(Health.method.check, {});
      return status;
    };
    expect(await Promise.all(eaters.map(end))).toEqual(eaters.map(() => 128 + SIGKILL));
    expect((await bystander.run(["echo", "alive"])).stdout).toBe("alive\n");
    const killed = vm().console.text.matchAll(/Killed process \d+ \((.*?)\)/g);
    expect([...killed].map(([, name]) => name)).toEqual(eaters.map(() => "tail"));
    await Promise.all(eaters.map((each) => each.remove()));
  });
}
