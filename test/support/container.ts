// Containers and their processes as a test sees them: through the agent's protocol.
import { type Message, type MessageInitShape, create } from "@bufbuild/protobuf";
import { AgentService, type CreateContainerRequest } from "../../src/gen/agent_pb.ts";
import { MountSchema } from "../../src/gen/oci_pb.ts";
import type { TestAgent } from "./agent.ts";
import type { AgentClient } from "./agent-client.ts";
import { type ContainerOptions, containerRequest, processMessage } from "./spec.ts";

const { method } = AgentService;

/** What a container is made with: an agent on this machine, or a guest's. */
export type AgentUnderTest = Pick<TestAgent, "client" | "cgroup" | "freshId" | "rootfs">;

/** Bytes asked for by one read, as Kata's runtime does. */
const CHUNK = 32 << 10;
export const SIGKILL = 9;

export type Outcome = {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** A process of a container that is known to the agent. */
export class TestProcess {
  readonly containerId: string;
  readonly execId: string;
  readonly #client: AgentClient;
  /** A terminal has one output. */
  readonly #streams: readonly ("readStdout" | "readStderr")[];

  constructor(client: AgentClient, containerId: string, execId: string, isTerminal: boolean) {
    this.#client = client;
    this.containerId = containerId;
    this.execId = execId;
    this.#streams = isTerminal ? ["readStdout"] : ["readStdout", "readStderr"];
  }

  get #name() {
    return { containerId: this.containerId, execId: this.execId };
  }

  async read(stream: "readStdout" | "readStderr" = "readStdout", len = CHUNK): Promise<Uint8Array> {
    const { data } = await this.#client.call(method[stream], { ...this.#name, len });
    return data;
  }

  /** All that comes until the end. */
  async readToEnd(stream: "readStdout" | "readStderr" = "readStdout"): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const data = await this.read(stream);
      if (data.length === 0) return Buffer.concat(chunks);
      chunks.push(data);
    }
  }

  /** Standard output up to and with `words`. */
  async readUntil(words: string): Promise<string> {
    let text = "";
    while (!text.includes(words)) {
      const data = await this.read();
      if (data.length === 0) throw new Error(`the output ended before ${words}: ${text}`);
      text += Buffer.from(data).toString();
    }
    return text;
  }

  async write(data: string | Uint8Array): Promise<number> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    const { len } = await this.#client.call(method.writeStdin, { ...this.#name, data: bytes });
    return len;
  }

  async closeStdin(): Promise<void> {
    await this.#client.call(method.closeStdin, this.#name);
  }

  async signal(signal: number): Promise<void> {
    await this.#client.call(method.signalProcess, { ...this.#name, signal });
  }

  async resize(row: number, column: number): Promise<void> {
    await this.#client.call(method.ttyWinResize, { ...this.#name, row, column });
  }

  /** The exit status. */
  async wait(): Promise<number> {
    const { status } = await this.#client.call(method.waitProcess, this.#name);
    return status;
  }

  /** As Kata's runtime does it: the output to its end, then the exit status. */
  async outcome(): Promise<Outcome> {
    const output = await Promise.all(this.#streams.map((stream) => this.readToEnd(stream)));
    const [stdout = "", stderr = ""] = output.map(String);
    return { status: await this.wait(), stdout, stderr };
  }
}

/** A container, removed at the end of its scope. */
export class TestContainer extends TestProcess implements AsyncDisposable {
  readonly #client: AgentClient;
  #serial = 0;

  constructor(client: AgentClient, id: string, isTerminal: boolean) {
    super(client, id, id, isTerminal);
    this.#client = client;
  }

  async start(): Promise<void> {
    await this.#client.call(method.startContainer, { containerId: this.containerId });
  }

  async exec(args: readonly string[], change: ProcessChange = {}): Promise<TestProcess> {
    const { containerId } = this;
    const execId = `exec-${++this.#serial}`;
    const process = processMessage(args, change);
    await this.#client.call(method.execProcess, { containerId, execId, process });
    return new TestProcess(this.#client, containerId, execId, change.Terminal === true);
  }

  async run(args: readonly string[], change: ProcessChange = {}): Promise<Outcome> {
    return (await this.exec(args, change)).outcome();
  }

  async pause(): Promise<void> {
    await this.#client.call(method.pauseContainer, { containerId: this.containerId });
  }

  async resume(): Promise<void> {
    await this.#client.call(method.resumeContainer, { containerId: this.containerId });
  }

  /** SIGKILL for all that is in it. */
  async killAll(): Promise<void> {
    const { containerId } = this;
    await this.#client.call(method.signalProcess, { containerId, execId: "", signal: SIGKILL });
  }

  async remove(): Promise<void> {
    await this.#client.call(method.removeContainer, { containerId: this.containerId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

export type ProcessChange = NonNullable<Parameters<typeof processMessage>[1]>;

export type Wanted = Partial<ContainerOptions> & {
  /** Beside the ordinary ones, after them. */
  readonly mounts?: readonly MountChange[];
};

export type MountChange = Exclude<MessageInitShape<typeof MountSchema>, Message>;

/** What asks for a container with all its cgroups where the agent's test looks for them. */
export function requestFor(
  agent: AgentUnderTest,
  args: readonly string[],
  wanted: Wanted = {},
): CreateContainerRequest {
  const { mounts = [], linux, id = agent.freshId(), rootfs = agent.rootfs(), ...rest } = wanted;
  const request = containerRequest({
    ...rest,
    id,
    rootfs,
    args,
    linux: { CgroupsPath: `/${agent.cgroup}/${id}`, ...linux },
  });
  request.OCI?.Mounts.push(...mounts.map((mount) => create(MountSchema, mount)));
  return request;
}

/** Created, not started. */
export async function createContainer(
  agent: AgentUnderTest,
  args: readonly string[],
  wanted: Wanted = {},
): Promise<TestContainer> {
  const request = requestFor(agent, args, wanted);
  await agent.client.call(method.createContainer, request);
  const isTerminal = request.OCI?.Process?.Terminal === true;
  return new TestContainer(agent.client, request.containerId, isTerminal);
}

export async function startContainer(
  agent: AgentUnderTest,
  args: readonly string[],
  wanted: Wanted = {},
): Promise<TestContainer> {
  const container = await createContainer(agent, args, wanted);
  await container.start();
  return container;
}

/** A container that runs until it is killed. */
export function idleContainer(agent: AgentUnderTest, wanted: Wanted = {}): Promise<TestContainer> {
  return startContainer(agent, ["sleep", "1000"], wanted);
}

/** What a container that runs a shell script prints, from its start to its end. */
export async function sh(
  agent: AgentUnderTest,
  script: string,
  wanted: Wanted = {},
): Promise<Outcome> {
  await using container = await startContainer(agent, ["sh", "-c", script], wanted);
  return await container.outcome();
}

/** The lines that the script prints; fails with what it says on standard error. */
export async function linesOf(
  agent: AgentUnderTest,
  script: string,
  wanted: Wanted = {},
): Promise<string[]> {
  const { status, stdout, stderr } = await sh(agent, script, wanted);
  if (status !== 0 || stderr !== "") throw new Error(`status ${status}: ${stdout}${stderr}`);
  return stdout.trimEnd().split("\n");
}
