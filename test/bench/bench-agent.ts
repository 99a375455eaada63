// The built agent as a process of its own.
import { readFileSync, rmSync } from "node:fs";
import { Health } from "../../src/gen/health_pb.ts";
import { AgentClient } from "../support/agent-client.ts";

export class BenchAgent implements AsyncDisposable {
  readonly socket: string;
  readonly client: AgentClient;
  readonly #process: Bun.Subprocess;

  private constructor(socket: string, client: AgentClient, process: Bun.Subprocess) {
    this.socket = socket;
    this.client = client;
    this.#process = process;
  }

  /** Resolves as soon as it accepts a connection. */
  static async start(executable: string, socket: string): Promise<BenchAgent> {
    const process = Bun.spawn([executable], {
      env: { KATA_AGENT_SERVER_ADDR: `unix://${socket}` },
      stdio: ["ignore", "ignore", "inherit"],
    });
    for (;;) {
      try {
        return new BenchAgent(socket, await AgentClient.connect(socket), process);
      } catch (error) {
        if (process.exitCode !== null) throw new Error("the agent has ended", { cause: error });
        // A turn of the loop, in which an exit is heard of.
        await new Promise(setImmediate);
      }
    }
  }

  /** In MB: what is the process's own, and with it what it shares with its file. */
  memory(): { readonly anonymous: number; readonly total: number } {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    const field = (name: string) => {
      const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
      return (Number(kilobytes) * 1024) / 1e6;
    };
    return { anonymous: field("RssAnon"), total: field("VmRSS") };
  }

  /** Resolves when it has answered. */
  async check(): Promise<void> {
    await this.client.call(Health.method.check, {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    rmSync(this.socket);
  }
}
