// Every call is asked about, before anything is done for it.
import { describe, expect, test } from "bun:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import { Health } from "../../../src/gen/health_pb.ts";
import { Policy } from "../../../src/policy/policy.ts";
import { policyNames } from "../../../src/rpc/policy-names.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import { Api, refusalOf } from "./call.ts";

const READS = ["ReadStdout", "ReadStderr"];
const CHECKED = AgentService.methods.filter(({ name }) => !READS.includes(name));
const NAMES: Readonly<Record<string, string>> = policyNames;
const { setPolicy, setGuestDateTime, readStdout, createContainer, execProcess } =
  AgentService.method;

function apiWith(...rules: string[]): Api {
  const text = ["package agent_policy", ...rules].join("\n");
  return new Api({ policy: new Policy(text, () => {}) });
}

describe("a policy", () => {
  test.each(CHECKED.map((method) => [method.name, method] as const))(
    "is asked about %s",
    async (_, method) => {
      const name = NAMES[method.localName];
      const payload = toBinary(method.input, create(method.input));
      expect(await refusalOf(apiWith(`default ${name} := false`).send(method, payload))).toEqual({
        code: Code.PERMISSION_DENIED,
        message: `${name} is blocked by policy`,
      });
      expect(await refusalOf(apiWith().send(method, payload))).toMatchObject({
        code: Code.INTERNAL,
        message: expect.stringContaining("policy check"),
      });
    },
  );

  test("is asked for the read calls when something was read: these fail as they would without", async () => {
    const api = apiWith("default ReadStreamRequest := false");
    const { code } = await api.refusal(readStdout, { containerId: "c1" });
    expect(code).toBe(Code.INVALID_ARGUMENT);
  });

  test.each([
    ["WriteStreamRequest", { stdinPort: 7 }],
    ["ReadStreamRequest", { stdoutPort: 7 }],
    ["ReadStreamRequest", { stderrPort: 7 }],
  ])("that forbids %s forbids %o as well", async (name, ports) => {
    const allowed = ["CreateContainerRequest", "ExecProcessRequest"];
    const api = apiWith(
      `default ${name} := false`,
      ...allowed.map((each) => `default ${each} := true`),
    );
    const refused = { code: Code.PERMISSION_DENIED, message: `${name} is blocked by policy` };
    const asked = { containerId: "c1", execId: "e1" };
    for (const method of [createContainer, execProcess]) {
      expect(await api.refusal(method, { ...asked, ...ports })).toEqual(refused);
      expect((await api.refusal(method, asked)).code).not.toBe(Code.PERMISSION_DENIED);
    }
  });

  test("is not asked whether the agent is well", async () => {
    const api = apiWith();
    await api.call(Health.method.check, {});
    await api.call(Health.method.version, {});
  });

  test("decides whether it may be replaced, and what takes its place decides from then on", async () => {
    const api = apiWith("default SetPolicyRequest := true");
    const policy = "package agent_policy\ndefault SetGuestDateTimeRequest := false";
    await api.call(setPolicy, { policy });
    expect(await api.refusal(setGuestDateTime, {})).toEqual({
      code: Code.PERMISSION_DENIED,
      message: "SetGuestDateTimeRequest is blocked by policy",
    });
    const { code } = await api.refusal(setPolicy, { policy });
    expect(code).toBe(Code.INTERNAL);
  });

  test("that is not understood is refused, and the one of before stays", async () => {
    const api = apiWith("default SetPolicyRequest := true");
    const refusal = await api.refusal(setPolicy, { policy: "package agent_policy\nallow { x }" });
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    expect(refusal.message).toContain("line 2");
    await api.call(setPolicy, { policy: "package agent_policy" });
  });
});
