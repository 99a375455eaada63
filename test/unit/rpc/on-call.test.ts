import { expect, test } from "bun:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import { Health } from "../../../src/gen/health_pb.ts";
import type { Call } from "../../../src/rpc/dispatch.ts";
import { Api } from "./call.ts";

/** To the machine, for which they must be root: namespaces, packet filters, memory. */
const DOES_THINGS = ["CreateSandbox", "GetIPTables", "OnlineCPUMem", "SetIPTables"];

/** What dispatch tells of one call of each method, which all are refused or do nothing. */
async function told(containerId: string): Promise<readonly Call[]> {
  const api = new Api();
  const methods = [...AgentService.methods, ...Health.methods].filter(
    ({ name }) => !DOES_THINGS.includes(name),
  );
  const sent = methods.map((method) => {
    const { input, name } = method;
    const takesId = input.fields.some((field) => field.localName === "containerId");
    const answer = api.send(method, toBinary(input, create(input, takesId ? { containerId } : {})));
    return { name, answer };
  });
  // That one is told, or not, when it comes; it has no answer.
  const answered = sent.filter(({ name }) => name !== "GetOOMEvent");
  await Promise.allSettled(answered.map(({ answer }) => answer));
  return api.calls;
}

test("each call is told once, but for those that come with data, in a loop or by the clock", async () => {
  const methods = (await told("c1")).map(({ method }) => method);
  const all = [...AgentService.methods, ...Health.methods].map(({ name }) => name);
  expect(new Set(methods).size).toBe(methods.length);
  expect(all.filter((name) => !methods.includes(name)).toSorted()).toEqual([
    "Check",
    "CreateSandbox",
    "GetIPTables",
    "GetOOMEvent",
    "MemAgentCompactSet",
    "MemAgentMemcgSet",
    "OnlineCPUMem",
    "ReadStderr",
    "ReadStdout",
    "SetIPTables",
    "WriteStdin",
  ]);
});

test("a call is told with its container, at no great length", async () => {
  const calls = await told("c".repeat(1_000_000));
  const { containerId } = calls.find(({ method }) => method === "StartContainer") ?? {};
  expect(containerId).toBe("c".repeat(128));
  expect(calls.find(({ method }) => method === "Version")?.containerId).toBe("");
});
