import { invalidArgument } from "../error.ts";
import type { Handler } from "./handler.ts";

/** Add routes, or change those to the same destinations. Answers all that there then are. */
export const updateRoutes: Handler<"updateRoutes"> = async (request, { sandbox }) => {
  if (request.routes === undefined) throw invalidArgument("empty update routes request");
  return { Routes: [...(await sandbox.network.updateRoutes(request.routes.Routes))] };
};
