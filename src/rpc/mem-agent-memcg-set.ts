import type { Handler } from "./handler.ts";

/** Change how unused memory is given back. What the request does not name stays. */
export const memAgentMemcgSet: Handler<"memAgentMemcgSet"> = (request, { sandbox }) => {
  sandbox.hardware.memoryAgent.changeReclaim(request);
};
