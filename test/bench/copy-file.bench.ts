// Files of 1 MiB, which is a piece as the Go runtime sends it, beside a Go server that writes and renames
// them as simply as can be.
import { AgentService } from "../../src/gen/agent_pb.ts";
import { type Benchmark, runs } from "./bench.ts";
import { callOf, load } from "./load.ts";
import { inTurn } from "./sample.ts";

const ROUNDS = 20;
const CALLS = 100;
const SIZE = 1 << 20;

export const copyFile: Benchmark = async (bench) => {
  const copy = callOf(AgentService.method.copyFile, {
    path: "/run/kata-containers/shared/containers/bench",
    fileMode: 0o100644,
    fileSize: BigInt(SIZE),
    data: new Uint8Array(SIZE).fill(1),
  });
  const rate = async (socket: string) => {
    const { seconds } = await load(bench, socket, { ...copy, calls: CALLS, window: 1 });
    return (CALLS * SIZE) / seconds / 1e6;
  };
  const { ours, peer } = await inTurn(
    runs(bench, ROUNDS),
    () => rate(bench.agent.socket),
    () => rate(bench.peerSocket),
  );
  return [
    {
      id: "copy-file",
      what: "CopyFile, 1 MiB a call",
      unit: "MB/s",
      ours,
      peer: { name: "Go ttrpc 1.2.7, same write", samples: peer },
    },
  ];
};
