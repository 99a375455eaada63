// The agent as a process of its own, in namespaces (the network's too) and a /run of its own, for tests that run
// containers. The test process only speaks ttRPC to it and looks at it from outside.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentClient } from "./agent-client.ts";
import { connected } from "./connected.ts";
import { type Held, childrenOf, heldBy, removeCgroups } from "./held.ts";
import { BUSYBOX, makeRootfs } from "./rootfs.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/**
 * The shell stays the first process of the pid namespace: the agent is not to believe that it is the
 * first of a guest. When it ends the kernel kills whoever is left.
 */
const IN_NAMESPACES = [
  // Should the test be killed, so is all of this.
  "setpriv",
  "--pdeathsig",
  "KILL",
  "unshare",
  "--mount",
  "--pid",
  "--fork",
  "--uts",
  "--ipc",
  "--net",
  "--mount-proc",
  "--kill-child",
  "sh",
  "-c",
  'mount -t tmpfs -o mode=755 tmpfs /run; "$@"; exit $?',
  "sh",
];

const STARTED_IN_MS = 10_000;
const SETTLED_IN_MS = 5000;

/** What the tests that start an agent lack here; undefined if nothing. */
export const missing =
  process.getuid?.() !== 0
    ? "root"
    : existsSync(BUSYBOX)
      ? undefined
      : "Debian's package busybox-static";

export class TestAgent implements AsyncDisposable {
  /** As this process sees it. */
  readonly pid: number;
  /** Temporary: the socket and the root file systems are in it. */
  readonly directory: string;
  /** Where the cgroups of its containers are, in every hierarchy. */
  readonly cgroup: string;
  readonly client: AgentClient;
  readonly #started: Started;
  #serial = 0;

  private constructor(started: Started, client: AgentClient) {
    this.#started = started;
    this.directory = started.directory;
    this.cgroup = started.name;
    this.client = client;
    const [shell = 0] = childrenOf(started.process.pid);
    const [agent = 0] = childrenOf(shell);
    this.pid = agent;
  }

  /** Resolves when it serves. `toml`: what it is told beside where to listen and how much to log. */
  static async start(toml?: string): Promise<TestAgent> {
    const started = startProcess(toml);
    try {
      const { process, directory, log } = started;
      const socket = socketIn(directory);
      const agent = { process, socket, log: () => log.text };
      return new TestAgent(started, await connected(agent, STARTED_IN_MS));
    } catch (error) {
      await end(started);
      throw error;
    }
  }

  get socket(): string {
    return socketIn(this.directory);
  }

  /** One more connection. */
  connect(): Promise<AgentClient> {
    return AgentClient.connect(this.socket);
  }

  /** Its exit status, once it has ended. */
  get exited(): Promise<number> {
    return this.#started.process.exited;
  }

  /** What it has said so far, a JSON object a line. */
  get log(): string {
    return this.#started.log.text;
  }

  held(): Held {
    return heldBy(this.pid, this.cgroup);
  }

  /** Resolves when it holds `wanted` again: some things end only after the answer to a call. */
  async untilHeld(wanted: Held): Promise<void> {
    await until(() => isDeepStrictEqual(this.held(), wanted), SETTLED_IN_MS);
    expect(this.held()).toEqual(wanted);
  }

  /** An id that no container of this agent has had. */
  freshId(): string {
    return `c${++this.#serial}`;
  }

  /** A root file system that nobody else uses. */
  rootfs(): string {
    const path = join(this.directory, `rootfs-${++this.#serial}`);
    makeRootfs(path);
    return path;
  }

  /** End it and all that it has started, at once, and remove what cannot end by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await end(this.#started);
  }
}

type Started = {
  readonly process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly log: AgentLog;
  readonly directory: string;
  readonly name: string;
};

function startProcess(toml: string | undefined): Started {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-test-"));
  const name = directory.slice(directory.lastIndexOf("/") + 1);
  const config = toml === undefined ? [] : ["--config", writeConfig(directory, toml)];
  const child = Bun.spawn([...IN_NAMESPACES, process.execPath, MAIN, ...config], {
    env: {
      KATA_AGENT_SERVER_ADDR: `unix://${socketIn(directory)}`,
      KATA_AGENT_LOG_LEVEL: "debug",
      PATH: Bun.env["PATH"],
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  return { process: child, log: new AgentLog(child.stdout), directory, name };
}

/** The environment does not count beside a file. */
function writeConfig(directory: string, toml: string): string {
  const path = join(directory, "agent.toml");
  const address = `unix://${socketIn(directory)}`;
  writeFileSync(path, `server_addr = "${address}"\nlog_level = "debug"\n${toml}\n`);
  return path;
}

async function end({ process, name, directory }: Started): Promise<void> {
  process.kill("SIGKILL");
  await process.exited;
  await removeCgroups(name);
  rmSync(directory, { recursive: true });
}

function socketIn(directory: string): string {
  return join(directory, "agent.sock");
}

/** All that the agent says, read at once, so that it never waits for a reader. */
class AgentLog {
  text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    void this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.text += decoder.decode(chunk, { stream: true });
  }
}
