// The links of the machine and their addresses, beside ip(8), which asks the kernel the same.
import { AgentService } from "../../src/gen/agent_pb.ts";
import { type Benchmark, runs } from "./bench.ts";
import { inTurn, milliseconds } from "./sample.ts";

const RUNS = 200;
const COMMAND = ["ip", "-j", "addr"];

export const listInterfaces: Benchmark = async (bench) => {
  const row = { id: "list-interfaces", what: "ListInterfaces", unit: "ms" } as const;
  const { client } = bench.agent;
  const ask = () => client.call(AgentService.method.listInterfaces, {});
  if (Bun.which("ip") === null) {
    return [{ id: row.id, what: row.what, absent: "Debian's package iproute2" }];
  }
  const { Interfaces } = await ask();
  const { ours, peer } = await inTurn(
    runs(bench, RUNS),
    () => milliseconds(ask),
    () => milliseconds(() => Bun.spawnSync(COMMAND)),
  );
  const links = `${Interfaces.length} ${Interfaces.length === 1 ? "link" : "links"}`;
  return [{ ...row, ours, peer: { name: "ip -j addr", samples: peer }, note: links }];
};
