// What the agent holds when it does nothing: before it has done anything, and after many containers.
import { join } from "node:path";
import type { Bench, Benchmark } from "./bench.ts";
import { BenchAgent } from "./bench-agent.ts";
import { request, startContainer } from "./containers.ts";
import type { Row } from "./row.ts";

const FEW = 100;
const CYCLES = { quick: 200, usual: 10_000, full: 10_000 };
/** A full run makes all cycles, however long they take. */
const LIMIT_MS = { quick: 20_000, usual: 60_000, full: Number.POSITIVE_INFINITY };
/** The agent takes a pod for one at rest after 20 s. */
const SETTLED_MS = 22_000;

export const memory: Benchmark = async (bench) => {
  await using agent = await BenchAgent.start(bench.executable, join(bench.directory, "memory"));
  const idle = await settled(agent);
  await repeat(bench, agent, FEW);
  const few = await settled(agent);
  const cycles = FEW + (await repeat(bench, agent, CYCLES[bench.pace] - FEW));
  const many = await settled(agent);
  return [
    single("idle-anonymous", "anonymous memory, idle", idle.anonymous),
    single("idle-rss", "resident memory, idle", idle.total),
    {
      id: "cycles",
      unit: "MB",
      ours: [many.anonymous],
      what: `anonymous memory after ${cycles} create, exec, remove`,
      peer: { name: `after the first ${FEW}`, samples: [few.anonymous] },
      note: `resident: ${few.total.toFixed(1)} MB after ${FEW}, ${many.total.toFixed(1)} MB after ${cycles}`,
    },
  ];
};

function single(id: "idle-anonymous" | "idle-rss", what: string, value: number): Row {
  return { id, what, unit: "MB", ours: [value] };
}

/** What it holds for the next call is given back then. */
async function settled(agent: BenchAgent) {
  await Bun.sleep(SETTLED_MS);
  return agent.memory();
}

/** How many there was time for. */
async function repeat(bench: Bench, agent: BenchAgent, cycles: number): Promise<number> {
  const end = performance.now() + LIMIT_MS[bench.pace];
  let made = 0;
  for (; made < cycles && performance.now() < end; made++) {
    await using container = await startContainer(agent.client, request(bench, ["sleep", "1000"]));
    await (await container.exec(["true"])).wait();
  }
  return made;
}
