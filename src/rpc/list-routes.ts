import type { Handler } from "./handler.ts";

/** The main table of routes. */
export const listRoutes: Handler<"listRoutes"> = async (_, { sandbox }) => ({
  Routes: [...(await sandbox.network.listRoutes())],
});
