import { within } from "../async/timeout.ts";
import { internal } from "../error.ts";
import type { Handler } from "./handler.ts";

/** For disks to be written out; hosts wait for 60 s. */
const BUDGET_MS = 45_000;

/** End all containers, then the agent, whatever is left of them. The answer leaves before that. */
export const destroySandbox: Handler<"destroySandbox"> = async (_, { sandbox, shutdown }) => {
  try {
    const isOver = await within(sandbox.destroy(), BUDGET_MS);
    if (!isOver) throw internal(`the pod has not ended within ${BUDGET_MS / 1000} s`);
  } finally {
    shutdown();
  }
};
