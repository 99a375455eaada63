// A connection to an agent that a test has just started.
import { until } from "../../src/async/until.ts";
import { AgentClient } from "./agent-client.ts";

export type StartedAgent = {
  /** What runs it: when it has ended, so has the agent. */
  readonly process: Bun.Subprocess;
  /** Of its unix socket, as this process sees it. */
  readonly socket: string;
  /** What it has said so far. */
  readonly log: () => string;
};

/** It is ready when its socket takes a connection. Throws with what it has said if it never is. */
export async function connected(agent: StartedAgent, withinMs: number): Promise<AgentClient> {
  const { process, socket, log } = agent;
  let client: AgentClient | undefined;
  await until(async () => {
    if (process.exitCode !== null) throw new Error(`the agent has ended: ${log()}`);
    client = await AgentClient.connect(socket).catch(() => undefined);
    return client !== undefined;
  }, withinMs);
  if (client === undefined) throw new Error(`the agent does not serve: ${log()}`);
  return client;
}
