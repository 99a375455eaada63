// Calls of the agent's protocol with its own messages, over our ttRPC client.
import {
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { type CallOptions, type Client, connect } from "../../src/ttrpc/client.ts";

export class AgentClient implements Disposable {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** `path` begins with a NUL for an abstract name. */
  static async connect(path: string): Promise<AgentClient> {
    return new AgentClient(await connect({ family: "unix", path }));
  }

  /** Throws what the agent refuses with, as a StatusError. */
  async call<Method extends DescMethodUnary>(
    { parent, name, input, output }: Method,
    request: MessageInitShape<Method["input"]>,
    options: CallOptions = {},
  ): Promise<MessageShape<Method["output"]>> {
    const payload = toBinary(input, create(input, request));
    const answer = await this.client.call(parent.typeName, name, payload, options);
    return fromBinary(output, answer) as MessageShape<Method["output"]>;
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
