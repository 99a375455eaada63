// GetMetrics of an agent at work, read as Prometheus reads it.
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { TestAgent } from "../support/agent.ts";
import { idleContainer } from "../support/container.ts";
import { noPrometheus, readMetrics } from "../support/prometheus.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { getMetrics, startContainer } = AgentService.method;

async function metricsOf(agent: TestAgent) {
  const { metrics } = await agent.client.call(getMetrics, {});
  const families = readMetrics(metrics);
  const valueOf = (family: string, suffix = "", label?: string) =>
    families
      .get(family)
      ?.samples.find(
        ({ name, labels }) =>
          name.endsWith(suffix) && (label === undefined || Object.values(labels).includes(label)),
      )?.value;
  return { valueOf };
}

const why = noPrometheus === undefined ? "" : ` (skipped: needs ${noPrometheus})`;

describeWithAgent("the metrics of an agent", (agent) => {
  test.skipIf(noPrometheus !== undefined)(
    `tell of its containers and of what it was asked${why}`,
    async () => {
      const before = await metricsOf(agent());
      await using container = await idleContainer(agent());
      await container.run(["true"]);
      const after = await metricsOf(agent());
      const grown = (name: string) =>
        (after.valueOf(name) ?? 0) - (before.valueOf(name) ?? Number.NaN);
      expect(grown("kata_agent_scrape_count")).toBe(1);
      expect(grown("kata_agent_children")).toBe(1);
      expect(grown("kata_agent_descriptors")).toBeGreaterThan(0);
      const calls = (rpc: string) => after.valueOf("kata_agent_rpc_seconds", "_count", rpc);
      // The agent was warmed up by as many.
      expect([calls("CreateContainer"), calls("ExecProcess"), calls("CopyFile")]).toEqual([
        2,
        2,
        undefined,
      ]);
      expect(after.valueOf("kata_agent_anonymous_bytes")).toBeGreaterThan(1 << 20);
      const way = ["process", "code", "prepared", "listening", "serving", "answered"].map(
        (milestone) => after.valueOf("kata_agent_boot_seconds", "", milestone) ?? Number.NaN,
      );
      expect(way).toEqual(way.toSorted((one, other) => one - other));
      expect(way[0]).toBeGreaterThan(0);
    },
  );

  test.skipIf(noPrometheus !== undefined)(
    `tell how often something went wrong, as the log does${why}`,
    async () => {
      const before = await metricsOf(agent());
      await refusalOf(agent().client.call(startContainer, { containerId: "none" }));
      const after = await metricsOf(agent());
      const warnings = (metrics: typeof before) =>
        metrics.valueOf("kata_agent_alarms", "_total", "WARN") ?? Number.NaN;
      expect(warnings(after) - warnings(before)).toBe(1);
      expect(after.valueOf("kata_agent_alarms", "_total", "CRIT")).toBe(0);
    },
  );

  test("and its containers are in the log once a signal asks for them", async () => {
    await using container = await idleContainer(agent());
    process.kill(agent().pid, "SIGUSR1");
    await until(() => agent().log.includes("asked for by SIGUSR1"), 5000);
    const line = agent()
      .log.split("\n")
      .find((each) => each.includes("asked for by SIGUSR1"));
    const state: Record<string, string> = JSON.parse(line ?? "{}");
    expect(state["containers"]).toMatch(new RegExp(`^${container.containerId} running \\d+$`));
    expect(state["metrics"]).toMatch(/^kata_agent_children 1$/m);
    expect(state["metrics"]).not.toContain("_bucket");
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("cost it nothing that stays", async () => {
    await agent().client.call(getMetrics, {});
    const before = agent().held();
    for (let i = 0; i < 100; i++) await agent().client.call(getMetrics, {});
    await agent().untilHeld(before);
  });
});
