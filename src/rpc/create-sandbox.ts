import { invalidArgument, unimplemented } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { isAbsolute } from "../oci/path-components.ts";
import type { Handler } from "./handler.ts";

/** Prepare what the containers of the pod share. */
export const createSandbox: Handler<"createSandbox"> = async (request, { sandbox }) => {
  const unserved = [
    ["storages", request.storages],
    ["kernel modules", request.kernelModules],
    ["dns", request.dns],
  ].find(([, asked]) => asked !== undefined && asked.length > 0);
  if (unserved !== undefined) throw unimplemented(`CreateSandbox: ${unserved[0]}`);
  if (request.hostname.includes("\0")) throw invalidArgument("the hostname contains NUL");
  const directory = hookDirectory(request.guestHookPath);
  await sandbox.create(request.sandboxId, request.hostname, directory);
};

/** The agent's own working directory says nothing. */
function hookDirectory(path: string): string {
  if (path === "" || (isAbsolute(path) && !path.includes("\0"))) return path;
  throw invalidArgument(`guest_hook_path: ${quote(path)} is not an absolute path`);
}
