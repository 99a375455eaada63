// The agent as it is now, for whoever debugs its guest, by the console or by signals.
import type { ConsoleSources } from "./guest/console-commands.ts";
import { log, switchLevel } from "./log.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";

export type State = Pick<ConsoleSources, "containers" | "state">;

export function stateOf(sandbox: Sandbox, metrics: Metrics): State {
  return {
    state: () => metrics.state(),
    containers: () =>
      sandbox.containers.map(({ id, status, init }) => ({ id, status, pid: init.child.pid })),
  };
}

/** SIGUSR1 has it logged, SIGUSR2 more logged, or less again: both would end the agent otherwise. */
export function heedDebugSignals(state: State): void {
  process.on("SIGUSR1", () => void logState(state));
  process.on("SIGUSR2", switchLevel);
}

async function logState({ state, containers }: State): Promise<void> {
  const lines = containers().map(({ id, status, pid }) => `${id} ${status} ${pid}`);
  const fields = { containers: lines.join("\n"), metrics: await state() };
  log.withTag("state").info("asked for by SIGUSR1", fields);
}
