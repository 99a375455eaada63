import { invalidArgument } from "../error.ts";
import { verifyExecId } from "../oci/container-id.ts";
import { processFromProto } from "../oci/from-proto-process.ts";
import { validateProcess } from "../oci/validate-process.ts";
import type { Handler } from "./handler.ts";

/** Run one more process in a container. */
export const execProcess: Handler<"execProcess"> = async (request, { sandbox, policy, signal }) => {
  const { containerId, execId, process: asked } = request;
  // First of all: where the call is refused, they are closed.
  using streams = await sandbox.streamPorts.take(request, signal);
  policy.checkStreams(request);
  verifyExecId(execId);
  if (asked === undefined) {
    throw invalidArgument("Unable to parse process from ExecProcessRequest");
  }
  const process = validateProcess(processFromProto(asked));
  await sandbox.exec(containerId, execId, process, signal);
  sandbox.process(containerId, execId).connect(streams);
};
