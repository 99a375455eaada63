// A share whose server answers nothing: whoever needs it waits, and nobody else does.
import { create } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AgentService, StorageSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import type { TestAgent } from "../support/agent.ts";
import { idleContainer, requestFor } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { processMessage } from "../support/spec.ts";
import { STATE } from "../support/storages.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const SHARE = `${STATE}/shared/containers`;
const CALLS = 200;
/** What Health.Check may take, whatever else goes on. */
const PROMPT_MS = 10;
const LONG_MS = 30_000;
const BRIEF_NS = 500_000_000n;

const hasFuse = existsSync("/dev/fuse");

/** The agent has a /run of its own. */
const enter = ({ pid }: TestAgent) => ["nsenter", "--target", `${pid}`, "--mount", "--pid"];

/** How a server is of no use: nobody takes what is asked of it, or somebody does and says nothing. */
const SERVERS = ["is gone", "has stalled"] as const;
type Server = (typeof SERVERS)[number];

const STALLED = join(import.meta.dir, "../support/stalled-fuse.ts");

/**
 * A file system of FUSE whose server answers nothing: every call that needs it waits until it is disposed,
 * and where the server has taken the request no signal ends that.
 */
async function deadShare(agent: TestAgent, how: Server, at = SHARE): Promise<AsyncDisposable> {
  const script = [
    "exec 3<>/dev/fuse",
    `mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead ${at}`,
    ...(how === "is gone" ? [] : [`${process.execPath} ${STALLED} >&2 & server=$!; exec 3<&-`]),
    "echo mounted; read line",
    // Nobody holds the other end of it then.
    how === "is gone" ? "exec 3<&-" : "kill $server; wait $server || true",
    `umount -l ${at}`,
  ].join("\n");
  const server = Bun.spawn([...enter(agent), "sh", "-ec", script], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  for await (const chunk of server.stdout) if (chunk.length > 0) break;
  return {
    [Symbol.asyncDispose]: async () => {
      server.stdin.write("\n");
      await server.stdin.end();
      await server.exited;
    },
  };
}

/** Milliseconds that the calls took, in order of length. */
async function checks({ client }: TestAgent): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const before = performance.now();
    await client.call(Health.method.check, {});
    took.push(performance.now() - before);
  }
  return took.toSorted((a, b) => a - b);
}

for (const how of SERVERS) {
  describeWithAgent(`a share whose server ${how}`, (agent) => {
    beforeAll(async () => {
      Bun.spawnSync([...enter(agent()), "mkdir", "-p", `${SHARE}/below`]);
      // What the agent opens once, it has open then.
      await using _ = await idleContainer(agent());
    });

    const asking = (mountPoint: string, driver = "local") => {
      const request = requestFor(agent(), ["true"]);
      const asked = { driver, source: "/etc", options: ["mode=0777"], mountPoint };
      request.storages.push(create(StorageSchema, asked));
      return request;
    };

    test.skipIf(!hasFuse).each([
      ["a volume in it", "local"],
      ["a mount in it", "bind"],
    ])(
      "holds up who wants %s, and no other call",
      async (_, driver) => {
        const before = agent().held();
        {
          await using _share = await deadShare(agent(), how);
          const client = await agent().connect();
          let isOver = false;
          const asked = asking(`${SHARE}/volume`, driver);
          const call = client.call(method.createContainer, asked).finally(() => (isOver = true));
          const refused = call.then(() => "made", String);
          const took = await checks(agent());
          // The machine may be busy: what counts is that none of them waits for the share.
          expect(took[CALLS / 2]).toBeLessThan(PROMPT_MS);
          await using other = await idleContainer(agent());
          expect((await other.run(["true"])).status).toBe(0);
          expect(isOver).toBe(false);
          client[Symbol.dispose]();
          expect(await refused).toContain("closed");
        }
        await agent().untilHeld(before);
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)(
      "is waited for no longer than the caller does",
      async () => {
        await using _ = await deadShare(agent(), how);
        const asked = asking(`${SHARE}/volume`);
        const call = agent().client.call(method.createContainer, asked, { timeoutNano: BRIEF_NS });
        expect(await refusalOf(call)).toEqual({
          code: Code.DEADLINE_EXCEEDED,
          message: "timeout",
        });
        // The id is free again once all is taken back.
        asked.storages = [];
        await agent().client.call(method.createContainer, asked);
        await agent().client.call(method.removeContainer, { containerId: asked.containerId });
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)(
      "is waited for no longer by who has a volume in it given to a group",
      async () => {
        const before = agent().held();
        {
          await using _ = await deadShare(agent(), how);
          const asked = requestFor(agent(), ["true"]);
          const volume = { driver: "bind", source: SHARE, mountPoint: `${STATE}/volume` };
          asked.storages.push(create(StorageSchema, { ...volume, fsGroup: { groupId: 5 } }));
          const call = agent().client.call(method.createContainer, asked, {
            timeoutNano: BRIEF_NS,
          });
          expect((await refusalOf(call)).code).toBe(Code.DEADLINE_EXCEEDED);
          asked.storages = [];
          await agent().client.call(method.createContainer, asked);
          await agent().client.call(method.removeContainer, { containerId: asked.containerId });
        }
        await agent().untilHeld(before);
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)(
      "is waited for no longer by who looks for the guest's hooks in it",
      async () => {
        await using _ = await deadShare(agent(), how);
        const guestHookPath = `${SHARE}/hooks`;
        const options = { timeoutNano: BRIEF_NS };
        const call = agent().client.call(method.createSandbox, { guestHookPath }, options);
        expect((await refusalOf(call)).code).toBe(Code.DEADLINE_EXCEEDED);
        await agent().client.call(method.createSandbox, {});
      },
      LONG_MS,
    );

    /** Others are served while `call`, which is given little time, waits for the share. */
    async function expectOthersServed(call: Promise<unknown>): Promise<void> {
      let isOver = false;
      const refusal = refusalOf(call).finally(() => (isOver = true));
      const took = await checks(agent());
      expect(took[CALLS / 2]).toBeLessThan(PROMPT_MS);
      expect(isOver).toBe(false);
      expect(await refusal).toEqual({ code: Code.DEADLINE_EXCEEDED, message: "timeout" });
    }

    const PATIENT_NS = 2_000_000_000n;

    test.skipIf(!hasFuse).each([
      ["its root", []],
      [
        "a directory that is to be copied",
        [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }],
      ],
    ])(
      "holds up who wants a container with %s in it, and no other call",
      async (_, mounts) => {
        const before = agent().held();
        {
          await using _share = await deadShare(agent(), how);
          const rootfs = `${SHARE}/root`;
          const request = requestFor(agent(), ["true"], { rootfs, mounts });
          const call = agent().client.call(method.createContainer, request, {
            timeoutNano: PATIENT_NS,
          });
          await expectOthersServed(call);
        }
        await agent().untilHeld(before);
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)(
      "holds up who wants a process of a user that is looked for in it, and no other call",
      async () => {
        await using _share = await deadShare(agent(), how);
        const mounts = [{ destination: "/etc", type: "bind", source: SHARE, options: ["bind"] }];
        await using container = await idleContainer(agent(), { mounts });
        const { containerId } = container;
        const process = processMessage(["true"], { User: { UID: 1000 } });
        const request = { containerId, execId: "late", process };
        const options = { timeoutNano: PATIENT_NS };
        await expectOthersServed(agent().client.call(method.execProcess, request, options));
        // The container's own is known, and an exec need not ask again.
        expect((await container.run(["/bin/true"])).status).toBe(0);
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)(
      "does not keep the removal of a container waiting whose exec waits for it",
      async () => {
        const before = agent().held();
        const mounts = [{ destination: "/data", type: "bind", source: SHARE, options: ["bind"] }];
        const share = await deadShare(agent(), how);
        const container = await idleContainer(agent(), { mounts });
        const { containerId } = container;
        const process = processMessage(["/data/program"], { Env: ["HOME=/"] });
        const request = { containerId, execId: "late", process };
        const exec = refusalOf(agent().client.call(method.execProcess, request));
        const took = await checks(agent());
        expect(took[CALLS / 2]).toBeLessThan(PROMPT_MS);
        const removal = container.remove().then(() => "done", String);
        expect((await exec).message).toContain("is being removed");
        // Whoever cannot be killed keeps its cgroup until the server answers, or goes.
        expect(await removal).toMatch(how === "is gone" ? /^done$/ : /EBUSY/);
        await share[Symbol.asyncDispose]();
        if (how !== "is gone") await container.remove();
        await agent().untilHeld(before);
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)(
      "is asked how full it is as often as the host likes, and others are served all the same",
      async () => {
        await using _ = await deadShare(agent(), how);
        const { client } = agent();
        const asked = Array.from({ length: 20 }, () =>
          refusalOf(
            client.call(
              method.getVolumeStats,
              { volumeGuestPath: `${SHARE}/volume` },
              { timeoutNano: BRIEF_NS },
            ),
          ),
        );
        await Promise.all(asked);
        const Resources = { Memory: { Limit: 64n << 20n } };
        await using container = await idleContainer(agent(), {
          linux: { Resources, CgroupsPath: `/${agent().cgroup}/stats` },
        });
        const { containerId } = container;
        await client.call(method.statsContainer, { containerId });
        expect((await container.run(["true"])).status).toBe(0);
      },
      LONG_MS,
    );

    test.skipIf(!hasFuse)("is not waited for by a look at all mounts in it either", async () => {
      await using _ = await deadShare(agent(), how, `${SHARE}/below`);
      const look = agent().client.call(
        method.removeStaleVirtiofsShareMounts,
        {},
        { timeoutNano: BRIEF_NS },
      );
      expect((await refusalOf(look)).code).toBe(Code.DEADLINE_EXCEEDED);
    });

    test("is looked at where it answers", async () => {
      await agent().client.call(method.removeStaleVirtiofsShareMounts, {});
    });
  });
}
