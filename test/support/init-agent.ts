// The agent as PID 1, as near to a guest as one gets without a virtual machine.
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentClient } from "./agent-client.ts";
import { connected } from "./connected.ts";
import { childrenOf } from "./held.ts";

const REPOSITORY = join(import.meta.dir, "../..");
const SCRIPT = join(import.meta.dir, "init-agent.sh");

/** Should the test be killed, so is all of this. */
const KILLABLE = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child"];
const NAMESPACES = ["user", "mount", "pid", "net", "uts", "ipc", "cgroup"];
export const IN_NAMESPACES = [
  ...KILLABLE,
  "--map-root-user",
  ...NAMESPACES.map((each) => `--${each}`),
];

const STARTED_IN_MS = 10_000;

export const missing = process.getuid?.() === 0 ? undefined : "root";

/** How a pid namespace ends whose first process has switched off what it takes for the machine. */
export const POWERED_OFF = "SIGINT";

export type InitOptions = {
  /** What the agent is told by a TOML file. */
  readonly config?: string;
  /** The terminal that is its /dev/console. */
  readonly console?: string;
  /** The descriptor that is its stdin, as /dev/console is in a guest. */
  readonly stdin?: number;
  /** Its root cannot be written. */
  readonly readonly?: boolean;
  readonly env?: Readonly<Record<string, string>>;
};

export class InitAgent implements AsyncDisposable {
  /** All that it has said so far, a JSON object a line. */
  log = "";
  readonly socket: string;
  readonly #directory: string;
  readonly #process: Bun.Subprocess<number | null, "pipe", "inherit">;
  readonly #said: Promise<void>;

  constructor(options: InitOptions = {}) {
    const { config = "", console = "", readonly = false, env = {} } = options;
    this.#directory = mkdtempSync(join(tmpdir(), "kata-agent-init-"));
    const [root, shared] = ["root", "shared"].map((name) => join(this.#directory, name));
    for (const path of [root, shared]) mkdirSync(path ?? "");
    this.socket = `${shared}/agent.sock`;
    const file = `${shared}/agent.toml`;
    writeFileSync(file, `server_addr = "unix://${this.socket}"\n${config}`);
    const main = join(REPOSITORY, "src/main.ts");
    const agent = [process.execPath, main, "--config", file];
    const places = [root ?? "", shared ?? "", REPOSITORY, console, readonly ? "ro" : "rw"];
    this.#process = Bun.spawn([...IN_NAMESPACES, "sh", SCRIPT, ...places, ...agent], {
      env: { PATH: Bun.env["PATH"], ...env },
      stdin: options.stdin ?? null,
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#said = this.#listen();
  }

  /** A connection, as soon as it takes one. */
  connect(): Promise<AgentClient> {
    const started = { process: this.#process, socket: this.socket, log: () => this.log };
    return connected(started, STARTED_IN_MS);
  }

  /** As this process sees it. */
  get pid(): number {
    return childrenOf(this.#process.pid)[0] ?? 0;
  }

  /** A file as the agent sees it. */
  path(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  link(path: string): string {
    return readlinkSync(this.path(path));
  }

  /** `msg: error` of each line at this level. */
  errors(level: "CRIT" | "ERRO" | "WARN"): string[] {
    const lines: Record<string, string>[] = this.log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    return lines
      .filter((line) => line["level"] === level)
      .map(({ msg, error }) => `${msg}: ${error}`);
  }

  /** The signal that ended it, or its exit status. */
  async ended(): Promise<string | number> {
    const status = await this.#process.exited;
    await this.#said;
    return this.#process.signalCode ?? status;
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended();
    rmSync(this.#directory, { recursive: true });
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stdout) {
      this.log += decoder.decode(chunk, { stream: true });
    }
  }
}
