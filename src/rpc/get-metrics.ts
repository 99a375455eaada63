import type { Handler } from "./handler.ts";

/** Never NOT_FOUND: the runtime would not ask again. */
export const getMetrics: Handler<"getMetrics"> = async (_, { metrics }) => ({
  metrics: await metrics.text(),
});
