// Spans of an agent that makes containers, received as a collector would.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { startContainer } from "../support/container.ts";
import { type ReceivedSpan, TraceReceiver } from "../support/trace-receiver.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const SENT_IN_MS = 10_000;

const directory = mkdtempSync(join(tmpdir(), "kata-agent-tracing-"));
afterAll(() => rmSync(directory, { recursive: true }));

const valueOf = ({ attributes }: ReceivedSpan, wanted: string) =>
  attributes.find(({ key }) => key === wanted)?.value.stringValue;

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`an agent that is traced${why}`, () => {
  test("tells of each call and its phases, and of no call for data or by the clock", async () => {
    using receiver = new TraceReceiver(join(directory, "collector"));
    const words = ["tracing = true", `trace_address = "unix://${receiver.path}"`];
    await using agent = await TestAgent.start(words.join("\n"));
    const { client } = agent;
    await client.call(Health.method.check, {});
    const metadata = new Map([["traceparent", [`00-${TRACE}-${PARENT}-01`]]]);
    await client.call(AgentService.method.createSandbox, { sandboxId: "pod" }, { metadata });
    await client
      .call(AgentService.method.startContainer, { containerId: "nobody" })
      .catch(() => undefined);
    {
      await using container = await startContainer(agent, ["echo", "secret"]);
      await container.outcome();
    }
    const { spans } = receiver;
    await until(() => spans.some(({ name }) => name === "remove_container"), SENT_IN_MS);
    const find = (name: string) => spans.filter((span) => span.name === name);

    const [sandbox] = find("create_sandbox");
    expect(sandbox).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: 2, status: {} });
    expect(find("namespaces")[0]).toMatchObject({ traceId: TRACE, parentSpanId: sandbox?.spanId });

    const [container] = find("create_container");
    if (container === undefined) throw new Error("no container was traced");
    expect(valueOf(container, "rpc.method")).toBe("CreateContainer");
    expect(valueOf(container, "container.id")).toBe("c1");
    const phases = spans.filter(({ parentSpanId }) => parentSpanId === container.spanId);
    expect(phases.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["cgroup", "limits", "process until parked"]),
    );
    for (const { startTimeUnixNano, endTimeUnixNano } of phases) {
      const [from, to] = [BigInt(startTimeUnixNano), BigInt(endTimeUnixNano)];
      expect(from >= BigInt(container.startTimeUnixNano) && to >= from).toBe(true);
      expect(to <= BigInt(container.endTimeUnixNano)).toBe(true);
    }

    const [refused, started] = find("start_container");
    expect(refused?.status).toMatchObject({ code: 2, message: expect.stringContaining("nobody") });
    expect(started?.status).toEqual({});
    expect(["check", "read_stdout", "read_stderr"].flatMap(find)).toEqual([]);
    expect(JSON.stringify(spans)).not.toContain("secret");
  });

  test("sends what it has before it ends", async () => {
    using receiver = new TraceReceiver(join(directory, "last"));
    const words = ["tracing = true", `trace_address = "unix://${receiver.path}"`];
    await using agent = await TestAgent.start(words.join("\n"));
    await agent.client.call(AgentService.method.destroySandbox, {});
    expect(await agent.exited).toBe(0);
    expect(receiver.spans.map(({ name }) => name)).toEqual(["destroy_sandbox"]);
  });

  test("serves as well where nobody takes its spans, and says so once", async () => {
    const words = ["tracing = true", `trace_address = "unix:///nowhere"`];
    await using agent = await TestAgent.start(words.join("\n"));
    await agent.client.call(AgentService.method.createSandbox, {});
    await until(() => agent.log.includes("spans are lost"), SENT_IN_MS);
    await agent.client.call(AgentService.method.destroySandbox, {});
    expect(await agent.exited).toBe(0);
    expect(agent.log.split("spans are lost")).toHaveLength(2);
  });
});
