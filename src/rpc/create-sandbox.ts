import { invalidArgument, unimplemented } from "../error.ts";
import type { Handler } from "./handler.ts";

/** Prepare what the containers of the pod share. */
export const createSandbox: Handler<"createSandbox"> = async (request, { sandbox }) => {
  const unserved = [
    ["storages", request.storages],
    ["kernel modules", request.kernelModules],
    ["dns", request.dns],
    ["guest hooks", request.guestHookPath],
  ].find(([, asked]) => asked !== undefined && asked.length > 0);
  if (unserved !== undefined) throw unimplemented(`CreateSandbox: ${unserved[0]}`);
  if (request.hostname.includes("\0")) throw invalidArgument("the hostname contains NUL");
  await sandbox.create(request.hostname);
};
