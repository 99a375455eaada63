// The agent as a process, from its sources and without root: command line, configuration, log.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { AgentClient } from "../support/agent-client.ts";
import { freshName } from "../support/listen.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
/** What main.ts loads once the agent listens. */
const SERVICE = join(import.meta.dir, "../../src/service.ts");
const directory = mkdtempSync(join(tmpdir(), "kata-agent-main-"));
afterAll(() => rmSync(directory, { recursive: true }));

const PATH = { PATH: Bun.env["PATH"] };

function run(...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...args], {
    env: PATH,
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

type Line = Readonly<Record<string, string>>;

/** An agent that serves, until it is disposed of. */
class Agent implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly name = freshName();
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #ended: Promise<void>;
  #more = Promise.withResolvers<void>();

  constructor(
    environment: Readonly<Record<string, string | undefined>>,
    ...command: readonly string[]
  ) {
    this.#process = Bun.spawn([process.execPath, ...command], {
      env: { ...PATH, KATA_AGENT_SERVER_ADDR: `unix://@${this.name.slice(1)}`, ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#ended = this.#read();
  }

  static async start(
    environment: Readonly<Record<string, string>> = {},
    ...args: readonly string[]
  ): Promise<Agent> {
    const agent = new Agent(environment, MAIN, ...args);
    await agent.until("ttRPC server started");
    return agent;
  }

  /** The first line with this message. Throws when the agent ends without it. */
  async until(message: string): Promise<Line> {
    for (;;) {
      const line = this.lines.find(({ msg }) => msg === message);
      if (line !== undefined) return line;
      if (this.#process.exitCode !== null) throw new Error(`ended without "${message}"`);
      await this.#more.promise;
    }
  }

  /** Its exit status, and what it said on stderr. */
  async exited(): Promise<readonly [status: number, stderr: string]> {
    await this.#ended;
    return [await this.#process.exited, await new Response(this.#process.stderr).text()];
  }

  warnings(): string[] {
    return this.lines.filter(({ level }) => level === "WARN").map(({ msg }) => msg ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    await this.#ended;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#process.stdout) {
      const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines.map((line) => JSON.parse(line)));
      this.#wake();
    }
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

describe("the command line", () => {
  test.each(["--version", "-v"])("%s prints one line, as Kata's own agent has it", (argument) => {
    const line =
      /^kata-agent version \S+ \(api version: 0\.0\.1, commit version: \S+, type: typescript, extra-features: \["agent-policy", "seccomp"\]\)\n$/;
    expect(run(argument)).toEqual({ exitCode: 0, stdout: expect.stringMatching(line), stderr: "" });
    expect(run("--bogus", argument, "explain").stdout).toMatch(line);
  });

  test("asked for help prints it", () => {
    const { exitCode, stdout } = run("--help");
    expect([exitCode, stdout.split("\n")[0]]).toEqual([
      0,
      expect.stringMatching(/^usage: kata-agent/),
    ]);
  });

  test("that cannot be understood ends with status 2 and says why on stderr", () => {
    const { exitCode, stdout, stderr } = run("--bogus");
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toStartWith(`kata-agent: unexpected argument "--bogus"\nusage: kata-agent`);
  });

  test("explains no file that cannot be read", () => {
    expect(run("explain", "/nowhere")).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "kata-agent: read /nowhere: ENOENT: No such file or directory\n",
    });
  });
});

describe("the log", () => {
  test("is one JSON object a line, all values strings, from the announcement on", async () => {
    await using agent = await Agent.start();
    const [announcement] = agent.lines;
    expect(announcement).toMatchObject({
      msg: "announce",
      level: "INFO",
      source: "agent",
      name: "kata-agent",
      subsystem: "root",
      "api-version": "0.0.1",
    });
    expect(JSON.parse(announcement?.["config"] ?? "")).toMatchObject({ logLevel: "info" });
    for (const line of agent.lines) {
      expect(Object.keys(line).slice(0, 3)).toEqual(["msg", "level", "ts"]);
      expect(Object.values(line).filter((value) => typeof value !== "string")).toEqual([]);
      expect(line["ts"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
      expect(line["pid"]).toMatch(/^[1-9]\d*$/);
    }
  });

  test("has a line for a call, with its container, and one for its failure", async () => {
    await using agent = await Agent.start();
    using client = await AgentClient.connect(agent.name);
    await client.call(Health.method.check, {});
    const refused = client.call(AgentService.method.startContainer, { containerId: "c1" });
    await expect(refused).rejects.toThrow("c1");
    const failure = await agent.until("StartContainer");
    expect(failure).toMatchObject({ level: "WARN", subsystem: "rpc" });
    const calls = agent.lines.filter(({ msg }) => msg?.startsWith("rpc call from shim to agent"));
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      msg: `rpc call from shim to agent: "StartContainer"`,
      level: "INFO",
      "container-id": "c1",
    });
  });

  test("says no more than the level that is asked for", async () => {
    const environment = { ...NOWHERE, KATA_AGENT_LOG_LEVEL: "critical" };
    await using agent = new Agent(environment, MAIN);
    await agent.exited();
    expect(agent.lines.map(({ level }) => level)).toEqual(["CRIT"]);
  });
});

/** Where nothing can be listened on. */
const NOWHERE = { KATA_AGENT_SERVER_ADDR: "unix:///nowhere/agent.sock" };

describe("an agent that cannot serve", () => {
  const reason = "bind to unix:///nowhere/agent.sock: ENOENT: No such file or directory";

  test("says why and ends with status 1", async () => {
    await using agent = new Agent(NOWHERE, MAIN);
    const [status, stderr] = await agent.exited();
    expect([status, stderr]).toEqual([1, ""]);
    expect((await agent.until("cannot serve"))["error"]).toContain(reason);
  });

  test.each(["/dev/full", "/dev/null"])("with stdout on %s ends the same way", (stdout) => {
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, MAIN], {
      env: { ...PATH, ...NOWHERE },
      stdout: Bun.file(stdout),
    });
    expect(exitCode).toBe(1);
    // What stdout did not take is said on stderr.
    if (stdout === "/dev/full") expect(JSON.parse(stderr.toString())["error"]).toContain(reason);
    else expect(stderr.toString()).toBe("");
  });
});

describe("an agent that is told nonsense", () => {
  test("serves, with a warning for each", async () => {
    await using agent = await Agent.start({
      KATA_AGENT_LOG_LEVEL: "loud",
      KATA_AGENT_TRACING: "maybe",
      KATA_AGENT_NONSENSE: "1",
      KATA_ATTESTER_VARIANT: "other",
    });
    const told = [
      /^KATA_AGENT_LOG_LEVEL="loud" is/,
      /^KATA_AGENT_TRACING="maybe" is/,
      /^KATA_ATTESTER_VARIANT has/,
      /^KATA_AGENT_NONSENSE is/,
    ];
    const warnings = agent.warnings();
    expect(told.filter((pattern) => !warnings.some((line) => pattern.test(line)))).toEqual([]);
  });

  test("does not serve where it was a policy: none may be weaker than the one that was meant", async () => {
    await using agent = new Agent({ KATA_AGENT_POLICY_FILE: "/nowhere.rego" }, MAIN);
    expect(await agent.until("cannot serve")).toMatchObject({
      error: expect.stringContaining("read /nowhere.rego: ENOENT"),
    });
  });

  test.each([
    ["that is missing", undefined, "ENOENT"],
    ["that is no TOML", "log_level debug", "TOML"],
    ["with nothing in it", "", undefined],
    ["of a value that is none", "log_level = 3", "log_level of"],
    ["with an unknown table", "[endpoints]\nallowed = []", "endpoints"],
  ])("by a file %s serves just the same", async (title, content, warning) => {
    const path = join(directory, title.replaceAll(" ", "-"));
    if (content !== undefined) writeFileSync(path, content);
    await using agent = await Agent.start({}, `--config=${path}`);
    const warnings = agent.warnings().filter((line) => !line.includes("is passed over"));
    expect(warnings).toHaveLength(warning === undefined ? 0 : 1);
    expect(warnings[0] ?? "").toContain(warning ?? "");
  });

  test("by no more than a file obeys the file", async () => {
    const path = join(directory, "agent.toml");
    const address = `unix://${directory}/agent.sock`;
    writeFileSync(path, `server_addr = "${address}"\nlog_level = "debug"\n`);
    await using agent = new Agent({ KATA_AGENT_SERVER_ADDR: undefined }, MAIN, "-c", path);
    expect(await agent.until("ttRPC server started")).toMatchObject({ address });
  });
});

describe("a defect", () => {
  test.each([
    ["uncaught exception", `setTimeout(() => { throw new Error("a defect"); });`],
    ["unhandled rejection", `void Promise.reject(new Error("a defect"));`],
  ])("that shows as an %s is logged with its stack, and the agent goes on", async (msg, code) => {
    const program = join(directory, "defect.ts");
    const loaded = [MAIN, SERVICE].map((file) => `await import(${JSON.stringify(file)});`);
    writeFileSync(program, [...loaded, code].join("\n"));
    await using agent = new Agent({}, program);
    const line = await agent.until(msg);
    expect(line["level"]).toBe("CRIT");
    expect(line["error"]).toStartWith("Error: a defect\n    at ");
    using client = await AgentClient.connect(agent.name);
    expect(await client.call(Health.method.check, {})).toMatchObject({ status: 1 });
  });
});
