// The lifecycle of a pod as the host's Go runtime drives it: with containerd's ttRPC library, and
// stubs made from our protocol files.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { cgroupsNamed } from "../support/held.ts";
import { buildGoProgram, missingForGo } from "./go-program.ts";

/** An answer, a refusal, or what was read. */
type Line = {
  readonly step: string;
  readonly answer?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly text?: string;
};

const lines = new Map<string, Line>();
const lacking = missing ?? missingForGo;
const why = lacking === undefined ? "" : ` (skipped: needs ${lacking})`;

/**
 * The calls that the life of a pod does without (others.go): what is answered, or the code and the start
 * of the reason of the refusal.
 */
const OTHERS: readonly (readonly [string, object | string])[] = [
  ["update the container", {}],
  ["stats of the container", { cgroup_stats: { cpu_stats: {} } }],
  ["diagnostic data of no kind", "InvalidArgument: unsupported diagnostic"],
  ["wait for a lack of memory", "DeadlineExceeded"],
  ["copy a file to where none is shared", 'Internal: removing "/run/kata-containers'],
  ["update no mounts", {}],
  ["look at what is shared", {}],
  ["stats of a volume", { usage: [{ unit: "BYTES" }, { unit: "INODES" }] }],
  ["resize what has no size of its own", "Unimplemented"],
  ["interfaces", { Interfaces: expect.arrayContaining([]) }],
  ["routes", { Routes: expect.arrayContaining([]) }],
  ["update an interface that is not there", "Internal: Link not found"],
  ["update no list of routes", "InvalidArgument: empty update routes request"],
  ["add no list of neighbours", "InvalidArgument: empty add arp neighbours"],
  ["packet filter", { data: expect.any(String) }],
  ["set a packet filter that is none", "Internal"],
  ["reseed with nothing", "Internal: missing entropy data"],
  ["set the clock to no time", "InvalidArgument: Sec -1 is before 1970"],
  ["bring no processors online", {}],
  ["announce no memory", {}],
  ["swap to no disk", "InvalidArgument"],
  ["swap to an absent file", "Internal"],
  ["configure reclaim", "Internal"],
  ["configure compaction", "Internal"],
];

/** The Go client's stubs, its build, and a minute for its calls. */
const LIMIT_MS = 300_000;

describe.skipIf(lacking !== undefined)(`containerd's ttRPC client${why}`, () => {
  let agent: TestAgent;
  let status: number;

  beforeAll(async () => {
    agent = await TestAgent.start();
    const program = join(agent.directory, "interop");
    await buildGoProgram(".", program);
    const socket = join(agent.directory, "agent.sock");
    const flags = ["-socket", socket, "-container", agent.cgroup, "-rootfs", agent.rootfs()];
    const client = Bun.spawn([program, ...flags, "lifecycle"], { stdout: "pipe" });
    const output = await new Response(client.stdout).text();
    for (const each of output.trimEnd().split("\n")) {
      const line: Line = JSON.parse(each);
      lines.set(line.step, line);
    }
    status = await client.exited;
  }, LIMIT_MS);

  afterAll(async () => {
    await agent?.[Symbol.asyncDispose]();
  });

  test("makes every call of the lifecycle, in turn, to the end", () => {
    expect(status).toBe(0);
    expect([...lines.keys()].slice(-2)).toEqual(["destroy the sandbox", "methods called"]);
  });

  test("hears whether the agent serves, and what it is", () => {
    expect(answer("check")).toEqual({ status: "SERVING" });
    expect(answer("version")).toEqual({ grpc_version: "0.0.1", agent_version: "development" });
    expect(answer("guest details")).toMatchObject({
      mem_block_size_bytes: expect.stringMatching(/^\d+$/),
      agent_details: { version: "development", init_daemon: false },
    });
  });

  test("gets empty answers to what only does something", () => {
    const names = ["create the sandbox", "create the container", "start the container"];
    names.push("close the input of cat", "pause", "resume", "remove the container");
    names.push("destroy the sandbox");
    expect(names.map(answer)).toEqual(names.map(() => ({})));
  });

  test("reads a container's output to its end while the container runs", () => {
    expect(text("output of the container")).toBe("process 1 on interop\n");
  });

  test("gives an exec its input, ends it, and reads the output and the status", () => {
    expect(answer("write to cat")).toEqual({ len: "typed by the host\n".length });
    expect(text("output of cat")).toBe("typed by the host\n");
    expect(answer("wait for cat")).toEqual({ status: 0 });
  });

  test("resizes the terminal of an exec that then sees its new size", () => {
    expect(text("first size of the terminal")).toBe("33 99\r\n");
    expect(answer("resize the terminal")).toEqual({});
    expect(text("rest of the terminal's output")).toBe("typed\r\n20 30\r\n");
    expect(answer("wait for the terminal's process")).toEqual({ status: 5 });
  });

  test("gets one status for two calls that wait for a signalled process, and NOT_FOUND for a third", () => {
    expect(answer("signal sleep")).toEqual({});
    expect(answer("first to wait for sleep")).toEqual({ status: 128 + 15 });
    expect(answer("second to wait for sleep")).toEqual({ status: 128 + 15 });
    expect(refusal("wait for sleep once more")).toEqual([
      "NotFound",
      expect.stringContaining("ESRCH: No such process"),
    ]);
  });

  test("is refused an exec in a paused container, and served one after it is resumed", () => {
    expect(refusal("exec while paused")).toEqual(["Internal", expect.stringContaining("paused")]);
    expect(answer("wait after the pause")).toEqual({ status: 0 });
  });

  test.each([
    ["start an unknown container", "Internal", 'Invalid container id "absent"'],
    ["wait for an unknown process", "NotFound", "ESRCH: No such process"],
    ["exec a missing program", "Internal", "/bin/absent was not found: ENOENT: No such file"],
    ["create a second of the same id", "Internal", "already exists"],
    ["create with an id that is a path", "InvalidArgument", 'invalid container ID "../escape"'],
    ["start twice", "Internal", "is running, want created"],
    ["call what the service does not have", "Unimplemented", "Absent method"],
    ["start the removed container", "Internal", "not found"],
  ])("sees the code and the reason of a refusal: %s", (step, code, reason) => {
    expect(refusal(step)).toEqual([code, expect.stringContaining(reason)]);
  });

  test("has called every method of both services", () => {
    const called = new Set(list(answer("methods called")));
    const all = [AgentService, Health].flatMap(({ typeName, methods }) =>
      methods.map(({ name }) => `/${typeName}/${name}`),
    );
    expect(all).toHaveLength(44);
    expect(all.filter((method) => !called.has(method))).toEqual([]);
  });

  test.each(OTHERS)("is answered, or refused as hosts expect it: %s", (step, outcome) => {
    if (typeof outcome === "string") {
      const [code, reason = ""] = outcome.split(": ");
      expect(refusal(step)).toEqual([code, expect.stringContaining(reason)]);
    } else {
      expect(answer(step)).toMatchObject(outcome);
    }
  });

  test("reads what a process says on its standard error", () => {
    expect(text("standard error")).toBe("to the host\n");
  });

  test("loses only the call whose deadline is over", () => {
    const [code] = refusal("wait with a deadline");
    expect(code).toBe("DeadlineExceeded");
    expect(answer("wait after the deadline")).toEqual({ status: 0 });
  });

  test("reads metrics, and is held to a policy until there is another", () => {
    expect(answer("metrics")).toEqual({
      metrics: expect.stringContaining("\nkata_agent_scrape_count 1\n"),
    });
    expect(answer("set a policy")).toEqual({});
    expect(refusal("exec against the policy")).toEqual([
      "PermissionDenied",
      "ExecProcessRequest is blocked by policy",
    ]);
    expect(refusal("set a policy that is none")).toEqual([
      "InvalidArgument",
      expect.stringContaining("policy: line 1"),
    ]);
    expect(answer("wait under that policy")).toEqual({ status: 0 });
  });

  test("kills the container and gets the status of its first process", () => {
    expect(answer("kill the container")).toEqual({});
    expect(answer("wait for the container")).toEqual({ status: 128 + 9 });
  });

  test("ends the agent with the sandbox, with nothing left in its cgroup", async () => {
    expect(await agent.exited).toBe(0);
    expect(agent.log).not.toContain('"level":"ERRO"');
    expect(cgroupsNamed(agent.cgroup)).toEqual([]);
  });
});

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function answer(step: string): unknown {
  return lines.get(step)?.answer;
}

function text(step: string): string | undefined {
  return lines.get(step)?.text;
}

function refusal(step: string): readonly [code: string | undefined, message: string | undefined] {
  const line = lines.get(step);
  return [line?.code, line?.message];
}
