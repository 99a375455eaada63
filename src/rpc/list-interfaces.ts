import type { Handler } from "./handler.ts";

/** All interfaces of the guest with their addresses. */
export const listInterfaces: Handler<"listInterfaces"> = async (_, { sandbox }) => ({
  Interfaces: [...(await sandbox.network.listInterfaces())],
});
