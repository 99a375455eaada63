// From the start of the process to the first connection it accepts, beside the start of any process.
import { join } from "node:path";
import { type Benchmark, runs } from "./bench.ts";
import { BenchAgent } from "./bench-agent.ts";
import { inTurn, milliseconds } from "./sample.ts";

const RUNS = 60;

function runTrue(): Promise<number> {
  return Bun.spawn(["busybox", "true"], { stdio: ["ignore", "ignore", "inherit"] }).exited;
}

export const startUp: Benchmark = async (bench) => {
  const { executable, directory } = bench;
  const ours = async () => {
    const socket = join(directory, `start-${++bench.serial}`);
    const from = performance.now();
    await using _ = await BenchAgent.start(executable, socket);
    return performance.now() - from;
  };
  const samples = await inTurn(runs(bench, RUNS), ours, () => milliseconds(runTrue));
  return [
    {
      id: "start-up",
      what: "process start to accepting a connection",
      unit: "ms",
      ours: samples.ours,
      peer: { name: "busybox true", samples: samples.peer },
    },
  ];
};
