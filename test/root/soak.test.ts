// Many containers, several clients, one that is killed and one that does not read: in the end the agent
// holds what it held. SOAK_CYCLES for more than the thousand of an ordinary run.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { AgentService, GetMetricsRequestSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { until } from "../../src/async/until.ts";
import type { TestAgent } from "../support/agent.ts";
import { idleContainer } from "../support/container.ts";
import { inParallel } from "../support/in-parallel.ts";
import { statusOf } from "../support/proc-status.ts";
import { pick, seeded } from "../support/random.ts";
import { RawPeer, concat, frame, request } from "../support/raw-peer.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const CYCLES = Number(Bun.env["SOAK_CYCLES"] ?? 1000);
const WARM_UP = 100;
/** At a time: containers of one pod are made by a host of several threads. */
const AT_ONCE = 4;
/** A cycle takes some 20 ms, and ten times that on a machine that is busy. */
const PATIENCE_MS = 60_000 + CYCLES * 200;
const SETTLED_IN_MS = 20_000;
const MiB = 1 << 20;
/** Of anonymous memory; half as much again, and what a collector may leave for later. */
const MOST_GROWTH = { times: 1.5, plus: 16 * MiB } as const;

const CLIENT = join(import.meta.dir, "../support/soak-client.ts");
const CLIENTS = 3;
const ROUNDS = 4;
const LONG_MS = 120_000;

function anonymousMemory({ pid }: TestAgent): number {
  const { RssAnon = "" } = statusOf(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number.parseInt(RssAnon, 10) * 1024;
}

/** What it has then. */
async function untilBelow(agent: TestAgent, most: number): Promise<number> {
  await until(() => anonymousMemory(agent) <= most, SETTLED_IN_MS);
  expect(anonymousMemory(agent)).toBeLessThanOrEqual(most);
  return anonymousMemory(agent);
}

async function cycle(agent: TestAgent, rootfs: string): Promise<void> {
  await using container = await idleContainer(agent, { rootfs });
  const { status, stdout } = await container.run(["sh", "-c", "echo out; exit 7"]);
  expect([status, stdout]).toEqual([7, "out\n"]);
}

describeWithAgent("an agent in the long run", (agent) => {
  test(
    `holds after ${CYCLES} containers what it held before, and hardly more memory`,
    async () => {
      const rootfs = agent().rootfs();
      const cycles = (count: number) =>
        inParallel(AT_ONCE, [...Array(count).keys()], () => cycle(agent(), rootfs));
      await cycles(WARM_UP);
      const [held, memory] = [agent().held(), anonymousMemory(agent())];
      await cycles(CYCLES);
      await agent().untilHeld(held);
      const most = memory * MOST_GROWTH.times + MOST_GROWTH.plus;
      const after = await untilBelow(agent(), most);
      const [from, to] = [memory, after].map((bytes) => (bytes / 1e6).toFixed(1));
      console.log(`anonymous memory: ${from} MB, after ${CYCLES} containers ${to} MB`);
    },
    PATIENCE_MS,
  );

  test(
    "serves three clients at once, of which one is killed at any moment",
    async () => {
      const random = seeded(3);
      const rootfs = agent().rootfs();
      const before = agent().held();
      for (let round = 0; round < ROUNDS; round++) {
        const prefixes = [...Array(CLIENTS).keys()].map((index) => `soak-${round}-${index}-`);
        const clients = prefixes.map((prefix) => new SoakClient(agent(), rootfs, prefix));
        const victim = pick(random, clients);
        await victim.hasRemoved(1 + Math.floor(random() * 5));
        await new Promise((resolve) => void setTimeout(resolve, random() * 30));
        victim.kill();
        const others = clients.filter((each) => each !== victim);
        expect(await Promise.all(others.map((each) => each.status))).toEqual([0, 0]);
        await victim.status;
        // What the victim had is there for whoever asks: its host would remove it.
        await removeAll(agent(), victim.prefix);
      }
      await agent().untilHeld(before);
    },
    LONG_MS,
  );

  test(
    "does not grow for a peer that never reads, and serves the others",
    async () => {
      const { client } = agent();
      await client.call(AgentService.method.getMetrics, {});
      const [held, memory] = [agent().held(), anonymousMemory(agent())];
      const peer = await RawPeer.connect(agent().socket);
      peer.pause();
      const { parent, name } = AgentService.method.getMetrics;
      const body = request(
        name,
        toBinary(GetMetricsRequestSchema, create(GetMetricsRequestSchema)),
        {
          service: parent.typeName,
        },
      );
      // Each answer has some thirty thousand bytes: 240 MB, were they kept.
      const requests = concat(
        ...[...Array(8000).keys()].map((index) => frame(2 * index + 1, body)),
      );
      const offered = peer.offer(requests, 0);
      expect(offered).toBeGreaterThan(0);
      for (let i = 0; i < 200; i++) await client.call(Health.method.check, {});
      await cycle(agent(), agent().rootfs());
      await untilBelow(agent(), memory + 112 * MiB);
      peer.close();
      await agent().untilHeld(held);
    },
    LONG_MS,
  );
});

class SoakClient {
  readonly prefix: string;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  #said = "";

  constructor({ socket, cgroup }: TestAgent, rootfs: string, prefix: string) {
    this.prefix = prefix;
    const words = [CLIENT, socket, cgroup, rootfs, prefix, "20"];
    this.#process = Bun.spawn([process.execPath, ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    void this.#listen();
  }

  get status(): Promise<number> {
    return this.#process.exited;
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Resolves when it has been through so many containers. */
  async hasRemoved(count: number): Promise<void> {
    await until(() => this.#said.split("\n").length > count, LONG_MS);
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stdout) this.#said += decoder.decode(chunk);
  }
}

/** Those of a client that is no more, also what is still being made for it. */
async function removeAll(agent: TestAgent, prefix: string): Promise<void> {
  const left = () => agent.held().state.filter((path) => path.includes(`/${prefix}`));
  const isEmpty = async () => {
    for (const path of left()) {
      const containerId = path.slice(path.indexOf("/") + 1);
      await agent.client
        .call(AgentService.method.removeContainer, { containerId })
        .catch(() => undefined);
    }
    return left().length === 0;
  };
  expect(await until(isEmpty, SETTLED_IN_MS)).toBe(true);
}
