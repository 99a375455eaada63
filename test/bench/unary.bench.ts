// The smallest call there is, one at a time and 64 at once, beside Go's ttRPC library.
import { Health } from "../../src/gen/health_pb.ts";
import { type Bench, type Benchmark, runs } from "./bench.ts";
import { callOf, load } from "./load.ts";
import { inTurn } from "./sample.ts";

const ROUNDS = 40;
const CALLS = 5000;
const PIPELINED_CALLS = 20_000;
const WINDOW = 64;
const GO = "Go ttrpc 1.2.7";

export const unary: Benchmark = async (bench) => [await sequential(bench), await pipelined(bench)];

/** Every call is a sample. */
async function sequential(bench: Bench) {
  const ours: number[] = [];
  const peer: number[] = [];
  const make = async (socket: string, into: number[]) => {
    const { microseconds } = await load(bench, socket, { ...check, calls: CALLS, window: 1 });
    into.push(...microseconds);
    return 0;
  };
  await inTurn(
    runs(bench, ROUNDS),
    () => make(bench.agent.socket, ours),
    () => make(bench.peerSocket, peer),
  );
  const what = "unary call, one at a time";
  return { id: "unary", what, unit: "µs", ours, peer: { name: GO, samples: peer } } as const;
}

/** Every round is a sample. */
async function pipelined(bench: Bench) {
  const make = async (socket: string) => {
    const wanted = { ...check, calls: PIPELINED_CALLS, window: WINDOW };
    const { seconds } = await load(bench, socket, wanted);
    return PIPELINED_CALLS / seconds;
  };
  const { ours, peer } = await inTurn(
    runs(bench, ROUNDS),
    () => make(bench.agent.socket),
    () => make(bench.peerSocket),
  );
  const what = `unary calls, ${WINDOW} at once`;
  return {
    id: "pipelined",
    what,
    unit: "calls/s",
    ours,
    peer: { name: GO, samples: peer },
  } as const;
}

const check = callOf(Health.method.check, {});
