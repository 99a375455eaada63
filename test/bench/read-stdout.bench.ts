// Bulk output of a container, 64 KiB a call, beside what Go's library carries: an echo of as many
// bytes, and the output of the same program.
import { toBinary, create } from "@bufbuild/protobuf";
import { AgentService, ReadStreamResponseSchema } from "../../src/gen/agent_pb.ts";
import { type Benchmark, runs } from "./bench.ts";
import { request, startContainer } from "./containers.ts";
import { callOf, load } from "./load.ts";
import { inTurn } from "./sample.ts";

const ROUNDS = 20;
const CALLS = 2000;
const CHUNK = 64 << 10;
const WHAT = "ReadStdout, 64 KiB a call";

export const readStdout: Benchmark = async (bench) => {
  const asked = request(bench, ["cat", "/dev/zero"]);
  await using container = await startContainer(bench.agent.client, asked);
  const { containerId, execId } = container;
  const read = callOf(AgentService.method.readStdout, { containerId, execId, len: CHUNK });
  const rate = async (socket: string, call: ReturnType<typeof callOf>) => {
    const { bytes, seconds } = await load(bench, socket, { ...call, calls: CALLS, window: 1 });
    return bytes / seconds / 1e6;
  };
  const besideGo = (call: ReturnType<typeof callOf>) =>
    inTurn(
      runs(bench, ROUNDS),
      () => rate(bench.agent.socket, read),
      () => rate(bench.peerSocket, call),
    );
  const [echoed, produced] = [await besideGo(echo), await besideGo(read)];
  return [
    {
      id: "read-stdout",
      what: WHAT,
      unit: "MB/s",
      ours: echoed.ours,
      peer: { name: "Go ttrpc 1.2.7 echo", samples: echoed.peer },
    },
    {
      id: "read-stdout-pipe",
      what: `${WHAT}, like for like`,
      unit: "MB/s",
      ours: produced.ours,
      peer: { name: "Go ttrpc 1.2.7, same producer", samples: produced.peer },
    },
  ];
};

const echo = {
  service: "bench.Echo",
  method: "Echo",
  payload: toBinary(
    ReadStreamResponseSchema,
    create(ReadStreamResponseSchema, { data: new Uint8Array(CHUNK) }),
  ),
};
