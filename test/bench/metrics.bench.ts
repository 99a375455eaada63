// All metrics of the agent and of the guest, as the runtime asks for them each time it is scraped.
import { AgentService } from "../../src/gen/agent_pb.ts";
import { type Benchmark, runs } from "./bench.ts";
import { milliseconds } from "./sample.ts";

const RUNS = 200;

export const metrics: Benchmark = async (bench) => {
  const { client } = bench.agent;
  const ask = () => client.call(AgentService.method.getMetrics, {});
  const { length } = (await ask()).metrics;
  const ours: number[] = [];
  for (let run = 0; run < runs(bench, RUNS); run++) ours.push(await milliseconds(ask));
  const note = `${(length / 1e3).toFixed(1)} kB of text`;
  return [{ id: "metrics", what: "GetMetrics", unit: "ms", ours, note }];
};
