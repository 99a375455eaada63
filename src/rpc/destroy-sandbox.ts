import type { Handler } from "./handler.ts";

/** End all containers, then the agent. The answer leaves before that. */
export const destroySandbox: Handler<"destroySandbox"> = async (_, { sandbox, shutdown }) => {
  await sandbox.destroy();
  shutdown();
};
