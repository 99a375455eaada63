// How much the agent logs, changed while it runs.
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { createContainer } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

describeWithAgent("an agent that is told to log for whoever debugs it", (agent) => {
  const levels = () => agent().log.match(/"msg":"level"/g)?.length ?? 0;
  const switched = async () => {
    const before = levels();
    process.kill(agent().pid, "SIGUSR2");
    expect(await until(() => levels() > before, 5000)).toBe(true);
  };
  /** How many lines there are for that alone of a container that cannot be made. */
  const debugLines = async () => {
    const before = agent().log.length;
    const asked = { spec: { Root: { Path: "/nowhere" } } };
    await refusalOf(createContainer(agent(), ["true"], asked));
    const said = () => agent().log.slice(before);
    await until(() => said().includes("/nowhere"), 5000);
    return said().match(/"level":"DEBG"/g)?.length ?? 0;
  };

  test("does not once it gets SIGUSR2, and does again with the next", async () => {
    expect(await debugLines()).toBeGreaterThan(0);
    await switched();
    expect(await debugLines()).toBe(0);
    expect(agent().log).toContain('"level":"INFO","ts"');
    await switched();
    expect(await debugLines()).toBeGreaterThan(0);
  });
});
