import { internal, invalidArgument, unimplemented } from "../error.ts";
import { verifyExecId } from "../oci/container-id.ts";
import { processFromProto } from "../oci/from-proto-process.ts";
import { unservedInProcess } from "../oci/unserved.ts";
import { validateProcess } from "../oci/validate-process.ts";
import type { Handler } from "./handler.ts";

/** Run one more process in a container. */
export const execProcess: Handler<"execProcess"> = async (request, { sandbox, signal }) => {
  const { containerId, execId, process: asked } = request;
  verifyExecId(execId);
  if (asked === undefined) {
    throw invalidArgument("Unable to parse process from ExecProcessRequest");
  }
  const process = validateProcess(processFromProto(asked));
  const unserved = unservedInProcess(process);
  if (unserved !== undefined) throw unimplemented(`ExecProcess: ${unserved}`);
  await sandbox.container(containerId, internal).exec(execId, process, signal);
};
