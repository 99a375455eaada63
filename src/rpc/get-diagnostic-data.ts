import { internal, invalidArgument } from "../error.ts";
import { readTerminationLog } from "../guest/termination-log.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { Handler } from "./handler.ts";

/** What a container has left behind for whoever asks why it ended; it need not run any more. */
export const getDiagnosticData: Handler<"getDiagnosticData"> = async (request, { sandbox }) => {
  const { logType, containerId } = request;
  if (logType !== "termination_log")
    throw invalidArgument(`unsupported diagnostic log_type: ${quote(logType)}`);
  const { spec } = sandbox.container(containerId, internal);
  return { data: await readTerminationLog(spec) };
};
