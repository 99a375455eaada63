// The agent as the demo speaks to it, and how long each call of it takes.
import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { AgentClient } from "../support/agent-client.ts";
import type { Place } from "./place.ts";

/** Bytes asked for by one ReadStdout, as Kata's runtime does. */
const CHUNK = 32 << 10;

export class DemoAgent {
  readonly #client: AgentClient;
  readonly #times: (readonly [call: string, milliseconds: number])[];

  constructor({ client, started }: Place) {
    this.#client = client;
    this.#times = [started];
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
}
