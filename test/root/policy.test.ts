// The policy that a guest begins with, and what it means for containers.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { startContainer } from "../support/container.ts";
import { textOf } from "../unit/repository/source.ts";

const { setPolicy } = AgentService.method;
const ALLOW_ALL = textOf("docs/policy/allow-all.rego");

function without(...names: string[]): string {
  return names.reduce(
    (text, name) => text.replace(`${name} := true`, `${name} := false`),
    ALLOW_ALL,
  );
}

const directory = mkdtempSync(join(tmpdir(), "kata-agent-policy-"));
afterAll(() => rmSync(directory, { recursive: true }));

function startWith(policy: string): Promise<TestAgent> {
  const file = join(directory, "policy.rego");
  writeFileSync(file, policy);
  return TestAgent.start(`policy_file = "${file}"`);
}

/** It ends, maybe before its socket has been found. */
async function lastWordsOf(started: Promise<TestAgent>): Promise<string> {
  try {
    await using agent = await started;
    expect(await agent.exited).toBe(1);
    return agent.log;
  } catch (error) {
    return String(error);
  }
}

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`a guest with a policy${why}`, () => {
  test("serves what it allows and refuses the rest", async () => {
    await using agent = await startWith(without("ExecProcessRequest", "SetPolicyRequest"));
    await using container = await startContainer(agent, ["sleep", "1000"]);
    await expect(container.exec(["true"])).rejects.toMatchObject({
      code: Code.PERMISSION_DENIED,
      message: "ExecProcessRequest is blocked by policy",
    });
    await expect(agent.client.call(setPolicy, { policy: ALLOW_ALL })).rejects.toMatchObject({
      code: Code.PERMISSION_DENIED,
    });
  });

  test("that allows nothing but another policy serves from then on", async () => {
    await using agent = await startWith("package agent_policy\ndefault SetPolicyRequest := true");
    await expect(startContainer(agent, ["true"])).rejects.toMatchObject({ code: Code.INTERNAL });
    await agent.client.call(setPolicy, { policy: ALLOW_ALL });
    await using container = await startContainer(agent, ["true"]);
    expect(await container.wait()).toBe(0);
  });

  test("that forbids to read output hands out none, and holds up nobody who writes it", async () => {
    await using agent = await startWith(without("ReadStreamRequest"));
    await using container = await startContainer(agent, ["sh", "-c", "echo secret; exit 3"]);
    expect(await container.outcome()).toEqual({ status: 3, stdout: "", stderr: "" });
  });

  test.each([
    ["is not understood", "package agent_policy\nCopyFileRequest { input.path }", "policy: line 2"],
    ["is empty", "", "policy: it has no package"],
  ])("that %s does not serve, and says why", async (_, policy, reason) => {
    expect(await lastWordsOf(startWith(policy))).toContain(reason);
  });

  test("whose file is not there does not serve, and says why", async () => {
    const file = "/nowhere/policy.rego";
    const started = TestAgent.start(`policy_file = "${file}"`);
    expect(await lastWordsOf(started)).toContain(`read ${file}: ENOENT`);
  });
});
