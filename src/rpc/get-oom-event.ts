import type { Handler } from "./handler.ts";

/** The next container that ran out of memory, once there is one. */
export const getOOMEvent: Handler<"getOOMEvent"> = async (_, { sandbox, signal }) => ({
  containerId: await sandbox.oomEvents.next(signal),
});
