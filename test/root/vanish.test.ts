// A client that goes away in the middle of a call: whatever the agent was doing for it is finished or
// undone, nobody else notices, and a new connection can go on from there (users.md P12, rpc.md 9.3).
import { expect, test } from "bun:test";
import { type DescMethodUnary, type MessageInitShape, create } from "@bufbuild/protobuf";
import { AgentService, StorageSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import type { TestAgent } from "../support/agent.ts";
import {
  SIGKILL,
  TestContainer,
  createContainer,
  idleContainer,
  requestFor,
  startContainer,
} from "../support/container.ts";
import { RawPeer, frame, request as requestBody } from "../support/raw-peer.ts";
import { processMessage } from "../support/spec.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const LONG_MS = 60_000;

/**
 * How far a call is let get before its caller goes: so many other calls are answered meanwhile. 0 is
 * right after it has begun; a container takes some hundred times as long as one of them.
 */
const MOMENTS = [0, 1, 2, 3, 5, 8, 12, 17, 23, 30, 40, 55, 75, 100, 140, 200, 300];

/** One lies on another, and is gone before it. */
const STORAGES = [
  { driver: "bind", source: "/etc", mountPoint: "/run/kata-containers/one" },
  {
    driver: "overlayfs",
    source: "overlay",
    fstype: "overlay",
    options: ["lowerdir=/run/kata-containers/one", "io.katacontainers.fs-opt.overlay-rw"],
    mountPoint: "/run/kata-containers/two",
  },
];

/** Make the call on a connection of its own, and cut that at the moment. */
async function vanishIn<Method extends DescMethodUnary>(
  agent: TestAgent,
  moment: number,
  rpc: Method,
  request: MessageInitShape<Method["input"]>,
): Promise<void> {
  const client = await agent.connect();
  const call = client.call(rpc, request);
  const isOver = attempted(call);
  // Frames of one connection are taken in order: once this is answered, the call has begun.
  await client.call(Health.method.check, {});
  for (let i = 0; i < moment; i++) await agent.client.call(Health.method.check, {});
  client[Symbol.dispose]();
  await isOver;
  // What is asked after this comes when the agent has seen the connection end.
  await agent.client.call(Health.method.check, {});
}

/** What the call is refused with; empty if it is not. */
function attempted(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "",
    (error: unknown) => String(error),
  );
}

describeWithAgent("a client that vanishes", (agent) => {
  test.each([
    ["a container", []],
    ["a container with storages", STORAGES],
  ])(
    "while it creates %s leaves nothing, or all of it",
    async (_, storages) => {
      const rootfs = agent().rootfs();
      const before = agent().held();
      for (const Terminal of [false, true]) {
        for (const moment of MOMENTS) {
          const wanted = { rootfs, process: { Terminal } };
          const request = requestFor(agent(), ["sleep", "1000"], wanted);
          request.storages.push(...storages.map((each) => create(StorageSchema, each)));
          const { containerId } = request;
          await vanishIn(agent(), moment, method.createContainer, request);
          // The next create of the id waits until the first is undone; where it was too late for
          // that, the container is there.
          const again = await attempted(agent().client.call(method.createContainer, request));
          if (again !== "") expect(again).toContain("already exists");
          const container = new TestContainer(agent().client, containerId, Terminal);
          await container.start();
          expect((await container.run(["true"])).status).toBe(0);
          await container.remove();
          await agent().untilHeld(before);
        }
      }
    },
    LONG_MS,
  );

  test(
    "while it executes a process leaves no process and the id free, or the process",
    async () => {
      await using container = await idleContainer(agent());
      const before = agent().held();
      const { containerId } = container;
      for (const Terminal of [false, true]) {
        for (const moment of MOMENTS) {
          const execId = `exec-${Terminal}-${moment}`;
          const process = processMessage(["sleep", "1000"], { Terminal });
          const request = { containerId, execId, process };
          await vanishIn(agent(), moment, method.execProcess, request);
          // Operations on one container follow one another: after this one, that one is over.
          expect((await container.run(["true"])).status).toBe(0);
          const kill = { containerId, execId, signal: SIGKILL };
          const isFree = (await attempted(agent().client.call(method.signalProcess, kill))) !== "";
          if (isFree) await agent().client.call(method.execProcess, request);
          if (isFree) await agent().client.call(method.signalProcess, kill);
          const waited = await agent().client.call(method.waitProcess, { containerId, execId });
          expect(waited.status).toBe(128 + SIGKILL);
          await agent().untilHeld(before);
        }
      }
    },
    LONG_MS,
  );

  test("while it starts a container leaves it started", async () => {
    const before = agent().held();
    for (const moment of [0, 1, 2, 3, 5]) {
      const container = await createContainer(agent(), ["sh", "-c", "exit 3"]);
      const { containerId } = container;
      await vanishIn(agent(), moment, method.startContainer, { containerId });
      expect(await container.wait()).toBe(3);
      await container.remove();
    }
    await agent().untilHeld(before);
  });

  test("while it waits takes no status with it", async () => {
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const before = agent().held();
    for (const moment of [0, 1, 5]) {
      const exec = await container.exec(["sh", "-c", "read line; exit 4"]);
      const asked = { containerId, execId: exec.execId };
      await vanishIn(agent(), moment, method.waitProcess, asked);
      await exec.write("go\n");
      expect(await exec.wait()).toBe(4);
    }
    await agent().untilHeld(before);
  });

  test("while it reads takes no output with it", async () => {
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const before = agent().held();
    for (const Terminal of [false, true]) {
      for (const moment of [0, 1, 5]) {
        const script = "stty -echo 2>/dev/null; echo ready; read line; echo all of it";
        const exec = await container.exec(["sh", "-c", script], { Terminal });
        await exec.readUntil("ready");
        const asked = { containerId, execId: exec.execId, len: 1000 };
        await vanishIn(agent(), moment, method.readStdout, asked);
        await exec.write("go\n");
        expect(`${await exec.readToEnd()}`.trim()).toBe("all of it");
        expect(await exec.wait()).toBe(0);
      }
    }
    await agent().untilHeld(before);
  });

  test("while it writes holds up nobody who writes after it", async () => {
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const before = agent().held();
    for (const moment of [0, 1, 5]) {
      const exec = await container.exec(["sh", "-c", "read go; cat | tail -c 6"]);
      const data = new Uint8Array(1 << 20);
      const asked = { containerId, execId: exec.execId, data };
      await vanishIn(agent(), moment, method.writeStdin, asked);
      // Of the data some may be in the pipe, which nobody has read yet.
      const written = exec.write("\ngo\nlast\n").then(() => exec.closeStdin());
      await agent().client.call(Health.method.check, {});
      expect(`${await exec.readToEnd()}`.endsWith("last\n")).toBe(true);
      await written;
      expect(await exec.wait()).toBe(0);
    }
    await agent().untilHeld(before);
  });

  test(
    "while it removes a container leaves nothing of that",
    async () => {
      const rootfs = agent().rootfs();
      const before = agent().held();
      for (const moment of MOMENTS.slice(0, 12)) {
        const container = await idleContainer(agent(), { rootfs });
        const { containerId } = container;
        await container.exec(["sh", "-c", "sleep 1000 & sleep 1000"]);
        await vanishIn(agent(), moment, method.removeContainer, { containerId });
        await agent().untilHeld(before);
        await using again = await idleContainer(agent(), { rootfs, id: containerId });
        expect((await again.run(["true"])).status).toBe(0);
      }
    },
    LONG_MS,
  );

  test("in the middle of a frame leaves the others their connections", async () => {
    await using container = await startContainer(agent(), ["cat"]);
    const read = container.read();
    const before = agent().held();
    const peer = await RawPeer.connect(agent().socket);
    const whole = frame(1, requestBody("Check", new Uint8Array(0), { service: "grpc.Health" }));
    await peer.send(whole.subarray(0, whole.length - 1));
    peer.close();
    await container.write("still here");
    expect(Buffer.from(await read).toString()).toBe("still here");
    await agent().untilHeld(before);
  });
});
