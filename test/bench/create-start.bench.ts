// From the request for a container to its program running, beside runc and crun.
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { TestContainer } from "../support/container.ts";
import { type Bench, type Benchmark, runs } from "./bench.ts";
import { BenchAgent } from "./bench-agent.ts";
import { request, writeBundle } from "./containers.ts";
import { callOf } from "./load.ts";
import { OciRuntime } from "./oci-runtime.ts";
import type { Row } from "./row.ts";
import { inTurn, milliseconds } from "./sample.ts";

const RUNS = 200;
const FRESH = 20;
const WHAT = "create + start of a container";
const NOTE =
  "containerd's mounts, capabilities and masked paths, Docker's seccomp profile; no limits on either side";

export const createStart: Benchmark = async (bench) => [
  await beside(bench, "runc", RUNS, "create-start"),
  await beside(bench, "crun", RUNS / 4, "create-start-crun"),
  await fresh(bench),
];

async function beside(
  bench: Bench,
  name: string,
  usual: number,
  id: "create-start" | "create-start-crun",
): Promise<Row> {
  const what = id === "create-start" ? WHAT : `${WHAT} beside ${name}`;
  if (Bun.which(name) === null) return { id, what, absent: `${name} is not installed` };
  const runtime = new OciRuntime(bench, name);
  const bundle = writeBundle(bench, request(bench, ["true"]));
  const peer = () => startPeer(bench, runtime, bundle);
  try {
    await peer();
  } catch (error) {
    return { id, what, absent: error instanceof Error ? error.message : String(error) };
  }
  const ours = () => startOurs(bench, bench.agent);
  const samples = await inTurn(runs(bench, usual), ours, peer);
  const label = `${name} create + start`;
  return {
    id,
    what,
    unit: "ms",
    ours: samples.ours,
    peer: { name: label, samples: samples.peer },
    note: NOTE,
  };
}

/** From the agent's first answer to the first container a runtime has a pod to prepare. */
const PREPARED_MS = 500;

/** The first container of a pod: of the agent's code little has run before. runc never knows it otherwise. */
async function fresh(bench: Bench): Promise<Row> {
  const runc = new OciRuntime(bench, "runc");
  const bundle = writeBundle(bench, request(bench, ["true"]));
  const ours = async () => {
    const socket = join(bench.directory, `fresh-${++bench.serial}`);
    await using agent = await BenchAgent.start(bench.executable, socket);
    await agent.check();
    await Bun.sleep(PREPARED_MS);
    return await startOurs(bench, agent);
  };
  const samples = await inTurn(runs(bench, FRESH), ours, () => startPeer(bench, runc, bundle));
  return {
    id: "create-start-fresh",
    what: "the agent's first create + start",
    unit: "ms",
    ours: samples.ours,
    peer: { name: "runc create + start", samples: samples.peer },
  };
}

/** The request is encoded before, as the peer's config.json is written before. */
async function startOurs(bench: Bench, { client }: BenchAgent): Promise<number> {
  const asked = request(bench, ["true"]);
  const { containerId } = asked;
  const create = callOf(AgentService.method.createContainer, asked);
  const from = performance.now();
  await client.client.call(create.service, create.method, create.payload);
  await client.call(AgentService.method.startContainer, { containerId });
  const took = performance.now() - from;
  const container = new TestContainer(client, containerId, false);
  await container.wait();
  await container.remove();
  return took;
}

async function startPeer(bench: Bench, runtime: OciRuntime, bundle: string): Promise<number> {
  const id = `peer-${++bench.serial}`;
  const took = await milliseconds(() => {
    runtime.run("create", "--bundle", bundle, id);
    runtime.run("start", id);
  });
  runtime.run("delete", "--force", id);
  return took;
}
