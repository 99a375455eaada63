// A process that the kernel does not let go, as it waits for a disk that takes nothing.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { tryReadText } from "../../src/kernel/file.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { type TestContainer, idleContainer, startContainer } from "../support/container.ts";
import { type LoopDisk, loopDisk } from "../support/loop-disk.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;

const PLACE = "/run/volume";
const LONG_MS = 60_000;
const STUCK = /process \d+ has not ended within 5 s of being killed/;

let disk: LoopDisk;
beforeAll(() => {
  if (missing === undefined) disk = loopDisk("ext4");
});
afterAll(() => disk?.[Symbol.dispose]());

/** A shell command where the agent sees its files. */
function inside({ pid }: TestAgent, command: string): string {
  const enter = ["nsenter", "--target", `${pid}`, "--mount", "--pid", "sh", "-ec", command];
  const { success, stdout, stderr } = Bun.spawnSync(enter);
  if (!success) throw new Error(stderr.toString());
  return stdout.toString();
}

/** A container whose first process writes to a file system that is frozen. */
async function stuckContainer(agent: TestAgent): Promise<TestContainer> {
  inside(agent, `mkdir -p ${PLACE} && mount ${disk.path} ${PLACE}`);
  const script = "echo ready; read line; echo x >/data/file";
  const mounts = [{ destination: "/data", type: "bind", source: PLACE, options: ["bind"] }];
  const container = await startContainer(agent, ["sh", "-c", script], { mounts });
  await container.readUntil("ready");
  inside(agent, `fsfreeze --freeze ${PLACE}`);
  await container.write("\n");
  const isStuck = () => inside(agent, "cat /proc/[0-9]*/stat").includes("(sh) D ");
  expect(await until(isStuck, LONG_MS)).toBe(true);
  return container;
}

const thaw = (agent: TestAgent) => inside(agent, `fsfreeze --unfreeze ${PLACE}; umount ${PLACE}`);

describeWithAgent("a process that cannot be killed", (agent) => {
  test(
    "is said to keep its container, which goes when the disk answers; others are served meanwhile",
    async () => {
      const before = agent().held();
      const container = await stuckContainer(agent());
      const removal = refusalOf(container.remove());
      {
        await using other = await idleContainer(agent());
        expect((await other.run(["true"])).status).toBe(0);
        await agent().client.call(Health.method.check, {});
      }
      expect((await removal).message).toMatch(STUCK);
      thaw(agent());
      await container.remove();
      await agent().untilHeld(before);
    },
    LONG_MS,
  );
});

test.skipIf(missing !== undefined)(
  "a process that cannot be killed does not keep the sandbox from ending",
  async () => {
    await using agent = await TestAgent.start();
    const { pid } = agent;
    await stuckContainer(agent);
    // Its mounts are seen for as long as somebody is there.
    await using keeper = Bun.spawn(["nsenter", "--target", `${pid}`, "--mount", "sleep", "1000"]);
    try {
      const refusal = await refusalOf(agent.client.call(method.destroySandbox, {}));
      expect(refusal.message).toMatch(STUCK);
      const isOver = () => !/\) [^ZX] /.test(tryReadText(`/proc/${pid}/stat`) ?? "");
      expect(await until(isOver, LONG_MS)).toBe(true);
    } finally {
      const enter = ["nsenter", "--target", `${keeper.pid}`, "--mount"];
      Bun.spawnSync([...enter, "fsfreeze", "--unfreeze", PLACE]);
    }
  },
  LONG_MS,
);
