import { invalidArgument } from "../error.ts";
import type { Handler } from "./handler.ts";

/** Say which hardware address neighbours of the guest have. */
export const addARPNeighbors: Handler<"addARPNeighbors"> = async (request, { sandbox }) => {
  if (request.neighbors === undefined) throw invalidArgument("empty add arp neighbours request");
  await sandbox.network.addNeighbors(request.neighbors.ARPNeighbors);
};
