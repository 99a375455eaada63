// The agent as a process of its own, and how long each call of it takes.
import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { AgentClient } from "../support/agent-client.ts";

/** Bytes asked for by one ReadStdout, as Kata's runtime does. */
const CHUNK = 32 << 10;

export class DemoAgent {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #client: AgentClient;
  readonly #times: (readonly [call: string, milliseconds: number])[] = [];
  /** All that the agent has logged, once it has ended. */
  readonly log: Promise<string>;

  private constructor(process: Bun.Subprocess<"ignore", "pipe", "inherit">, client: AgentClient) {
    this.#process = process;
    this.#client = client;
    this.log = new Response(process.stdout).text();
  }

  /** Resolves when it serves. */
  static async start(binary: string, socket: string): Promise<DemoAgent> {
    const from = performance.now();
    const process = Bun.spawn([binary], {
      env: { KATA_AGENT_SERVER_ADDR: `unix://${socket}` },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const client = await connected(process, socket);
    const agent = new DemoAgent(process, client);
    agent.#times.push(["(start of the agent)", performance.now() - from]);
    return agent;
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  async call<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method["input"]>,
  ): Promise<MessageShape<Method["output"]>> {
    const from = performance.now();
    const answer = await this.#client.call(method, request);
    this.#times.push([method.name, performance.now() - from]);
    return answer;
  }

  /** Standard output, until there is nothing more to come. */
  async readToEnd(process: { containerId: string; execId: string }): Promise<string> {
    const text = new TextDecoder();
    let output = "";
    for (;;) {
      const { readStdout } = AgentService.method;
      const { data } = await this.call(readStdout, { ...process, len: CHUNK });
      if (data.length === 0) return output + text.decode();
      output += text.decode(data, { stream: true });
    }
  }

  printTimes(): void {
    const width = Math.max(...this.#times.map(([call]) => call.length));
    console.log(`${"call".padEnd(width)}        ms`);
    for (const [call, milliseconds] of this.#times)
      console.log(`${call.padEnd(width)}  ${milliseconds.toFixed(2).padStart(8)}`);
  }

  /** Ends it at once; for a demo that went wrong. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

/** The agent is ready when its socket takes a connection. */
async function connected(process: Bun.Subprocess, socket: string): Promise<AgentClient> {
  for (;;) {
    try {
      return await AgentClient.connect(socket);
    } catch (error) {
      if (process.exitCode !== null) throw new Error("the agent has ended", { cause: error });
      await Bun.sleep(1);
    }
  }
}
