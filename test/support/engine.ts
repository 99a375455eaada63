// Containers from a config.json, made by a sandbox in this process: the spec has words that no
// message of the protocol carries. Run it in namespaces of its own (namespaces.sh).
import { afterAll, beforeAll, describe } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeGuest } from "../../src/container/guest.ts";
import type { Process } from "../../src/container/process.ts";
import { Hotplug } from "../../src/device/hotplug.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { specFromJson } from "../../src/oci/from-json.ts";
import { validateProcess } from "../../src/oci/validate-process.ts";
import { validateSpec } from "../../src/oci/validate.ts";
import { type CreateContainer, Sandbox } from "../../src/sandbox/sandbox.ts";
import { missing } from "./agent.ts";
import type { Outcome } from "./container.ts";
import { HOOK_RULES } from "./hooks.ts";
import { makeRootfs } from "./rootfs.ts";

type Asked = Pick<CreateContainer, "storages" | "sharedMounts">;
type Json = Readonly<Record<string, unknown>>;

const CALLER = { signal: new AbortController().signal };
const CHUNK = 65_536;
const PATH = "PATH=/bin";

/** containerd's, as far as a test needs them. */
const MOUNTS = [
  { destination: "/proc", type: "proc", source: "proc" },
  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
];

export class Engine implements AsyncDisposable {
  readonly sandbox = new Sandbox(
    describeGuest(0, HOOK_RULES, () => {}),
    new Hotplug({ timeoutMs: 1000 }),
    { timeoutMs: 1000, heedsVariable: false },
  );
  readonly directory = mkdtempSync(join(tmpdir(), "kata-engine-"));
  /** Of the cgroups of its containers. */
  readonly cgroup = this.directory.slice(this.directory.lastIndexOf("/") + 1);
  #serial = 0;

  constructor() {
    // The root of a user namespace is nobody here, and has to reach its root file system.
    chmodSync(this.directory, 0o755);
  }

  /** A root file system that nobody else uses. */
  rootfs(): string {
    const path = join(this.directory, `rootfs-${++this.#serial}`);
    makeRootfs(path);
    return path;
  }

  /** What the containers share, from then on. */
  async createPod(hostname: string): Promise<void> {
    await this.sandbox.create({ id: "pod", hostname, hookDirectory: "", modules: [], ...CALLER });
  }

  /**
   * Created, not started; its id. `change` is put over the least container: `linux` and `process`
   * member by member, `mounts` after the ordinary ones.
   */
  async create(args: readonly string[], change: Json = {}, asked: Asked = {}): Promise<string> {
    const id = `e${++this.#serial}`;
    const { linux = {}, process = {}, mounts = [], root = { path: this.rootfs() } } = change;
    const config = {
      ociVersion: "1.2.0",
      ...change,
      root,
      process: { cwd: "/", args, env: [PATH], ...asObject(process) },
      mounts: [...MOUNTS, ...(Array.isArray(mounts) ? mounts : [])],
      linux: {
        cgroupsPath: `/${this.cgroup}/${id}`,
        namespaces: [{ type: "mount" }, { type: "ipc" }, { type: "uts" }],
        ...asObject(linux),
      },
    };
    await this.createFrom(id, config, asked);
    return id;
  }

  /** Created from a whole config.json, not started. */
  async createFrom(id: string, config: Json, asked: Asked = {}): Promise<void> {
    const spec = validateSpec(specFromJson(JSON.stringify(config)));
    await this.sandbox.createContainer({ id, spec, sandboxPidns: false, ...asked, ...CALLER });
  }

  /** What it says from its start to its end; it is removed then. */
  async run(args: readonly string[], change: Json = {}): Promise<Outcome> {
    return this.finish(await this.create(args, change));
  }

  /** Start it; what it says to its end, after which it is removed. */
  async finish(id: string): Promise<Outcome> {
    const container = this.sandbox.container(id);
    try {
      await container.start();
      return await outcomeOf(container.init);
    } finally {
      await this.sandbox.removeContainer(container);
    }
  }

  /** A shell script's lines. Throws if it says anything on standard error, or fails. */
  async lines(script: string, change: Json = {}): Promise<string[]> {
    return linesIn(await this.run(["sh", "-c", script], change));
  }

  async exec(id: string, script: string, process: Json = {}): Promise<string[]> {
    const asked = { cwd: "/", args: ["sh", "-c", script], env: [PATH], ...process };
    return linesIn(await this.execFrom(id, asked));
  }

  /** What a process says that is given as in config.json. */
  async execFrom(id: string, asked: Json): Promise<Outcome> {
    const execId = `x${++this.#serial}`;
    const { process: decoded } = specFromJson(
      JSON.stringify({ ociVersion: "1.2.0", process: asked }),
    );
    if (decoded === undefined) throw new Error("no process");
    const container = this.sandbox.container(id);
    await container.exec(execId, validateProcess(decoded), CALLER.signal);
    const made = this.sandbox.process(id, execId);
    const outcome = await outcomeOf(made);
    container.forget(made);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox.destroy();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Tests that share one engine. `lacking`: what this machine has not, beside what all need. */
export function describeWithEngine(
  title: string,
  tests: (engine: () => Engine) => void,
  lacking?: string,
): void {
  const needed = missing ?? lacking;
  const why = needed === undefined ? "" : ` (skipped: needs ${needed})`;
  describe.skipIf(needed !== undefined)(title + why, () => {
    let engine: Engine | undefined;
    const started = () => {
      if (engine === undefined) throw new Error("the engine has not been started");
      return engine;
    };
    // Reaping goes on until all containers have ended: nobody else sees that.
    beforeAll(startReaper);
    beforeAll(() => void (engine = new Engine()));
    tests(started);
    afterAll(() => engine?.[Symbol.asyncDispose]());
    afterAll(() => void process.removeAllListeners("SIGCHLD"));
  });
}

async function outcomeOf({ stdio, child }: Process): Promise<Outcome> {
  const isTerminal = stdio.stdout === stdio.stderr;
  const [stdout, stderr] = await Promise.all([
    textOf(stdio.stdout),
    isTerminal ? "" : textOf(stdio.stderr),
  ]);
  return { status: await child.exit, stdout, stderr };
}

async function textOf(stream: Process["stdio"]["stdout"]): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const data = await stream.read(CHUNK, CALLER);
    if (data.length === 0) return Buffer.concat(chunks).toString();
    chunks.push(data);
  }
}

function linesIn({ status, stdout, stderr }: Outcome): string[] {
  if (status !== 0 || stderr !== "") throw new Error(`status ${status}: ${stdout}${stderr}`);
  return stdout.trimEnd().split("\n");
}

function asObject(value: unknown): object {
  if (typeof value !== "object" || value === null) throw new TypeError("expected an object");
  return value;
}
