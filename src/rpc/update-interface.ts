import { invalidArgument } from "../error.ts";
import type { Handler } from "./handler.ts";

/** Name, address and bring up a network interface. Answers what it was asked. */
export const updateInterface: Handler<"updateInterface"> = async (request, { sandbox, signal }) => {
  if (request.interface === undefined) throw invalidArgument("empty update interface request");
  await sandbox.network.updateInterface(request.interface, signal);
  return request.interface;
};
