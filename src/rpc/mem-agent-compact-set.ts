import type { Handler } from "./handler.ts";

/** Change how free memory is put together. What the request does not name stays. */
export const memAgentCompactSet: Handler<"memAgentCompactSet"> = (request, { sandbox }) => {
  sandbox.hardware.memoryAgent.changeCompact(request);
};
