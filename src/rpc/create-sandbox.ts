import { invalidArgument } from "../error.ts";
import { refuseModules } from "../guest/modules.ts";
import { resolvConfText } from "../network/resolv-conf.ts";
import { quote } from "../oci/invalid-spec.ts";
import { isAbsolute } from "../oci/path-components.ts";
import type { Handler } from "./handler.ts";

/** Prepare what the containers of the pod share. */
export const createSandbox: Handler<"createSandbox"> = async (request, { sandbox, signal }) => {
  if (request.hostname.includes("\0")) throw invalidArgument("the hostname contains NUL");
  const hookDirectory = absolute(request.guestHookPath);
  refuseModules(request.kernelModules);
  const resolvConf = resolvConfText(request.dns);
  const { sandboxId: id, hostname, kernelModules: modules, storages } = request;
  await sandbox.create({ id, hostname, hookDirectory, modules, storages, resolvConf, signal });
};

/** The agent's own working directory says nothing. */
function absolute(path: string): string {
  if (path === "" || (isAbsolute(path) && !path.includes("\0"))) return path;
  throw invalidArgument(`guest_hook_path: ${quote(path)} is not an absolute path`);
}
