// Tests that share one agent.
import { afterAll, beforeAll, describe } from "bun:test";
import { TestAgent, missing } from "./agent.ts";
import { idleContainer } from "./container.ts";

/** Skipped, with what is lacking in the title, where none of the tests can run. */
export function describeWithAgent(title: string, body: (agent: () => TestAgent) => void): void {
  const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;
  describe.skipIf(missing !== undefined)(`${title}${why}`, () => {
    let agent: TestAgent | undefined;
    beforeAll(async () => {
      agent = await TestAgent.start();
      await warmUp(agent);
    });
    afterAll(async () => {
      await agent?.[Symbol.asyncDispose]();
    });
    body(() => {
      if (agent === undefined) throw new Error("the agent has not been started");
      return agent;
    });
  });
}

/** What an agent opens once, for good, is open after this. */
export async function warmUp(agent: TestAgent): Promise<void> {
  await using container = await idleContainer(agent);
  await container.run(["true"]);
}
