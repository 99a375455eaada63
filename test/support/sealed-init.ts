// A sealed agent as the first process of a root that holds nothing else, in namespaces of its own.
import { join } from "node:path";
import type { AgentClient } from "./agent-client.ts";
import { connected } from "./connected.ts";
import { IN_NAMESPACES } from "./init-agent.ts";
import { Transcript } from "./transcript.ts";

/** Under emulation all is slow. */
const STARTED_IN_MS = 60_000;

const SOCKET = "/agent.sock";

export class SealedInit implements AsyncDisposable {
  readonly #root: string;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #said: Transcript;

  /** `command` is started in `root`, and is or becomes the agent. */
  constructor(root: string, command: readonly string[]) {
    this.#root = root;
    this.#process = Bun.spawn([...IN_NAMESPACES, "chroot", root, ...command], {
      env: { PATH: Bun.env["PATH"], KATA_AGENT_SERVER_ADDR: `unix://${SOCKET}` },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#said = Transcript.of("the agent", this.#process.stdout);
  }

  /** A connection, as soon as it takes one. */
  connect(): Promise<AgentClient> {
    const socket = join(this.#root, SOCKET);
    return connected({ process: this.#process, socket, log: () => this.#said.text }, STARTED_IN_MS);
  }

  /** The signal that ended it, or its exit status. */
  async ended(): Promise<string | number> {
    const status = await this.#process.exited;
    return this.#process.signalCode ?? status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended();
  }
}
