import { invalidArgument, unimplemented } from "../error.ts";
import { checkSharedMounts } from "../container/shared-mounts.ts";
import { verifyId } from "../oci/container-id.ts";
import { specFromProto } from "../oci/from-proto.ts";
import { unservedIn } from "../oci/unserved.ts";
import { validateSpec } from "../oci/validate.ts";
import type { Handler } from "./handler.ts";

/** Make a container, up to the execve of its program. */
export const createContainer: Handler<"createContainer"> = async (
  request,
  { sandbox, policy, signal },
) => {
  const { containerId: id, OCI, devices, storages, sharedMounts, sandboxPidns } = request;
  // First of all: where the call is refused, they are closed.
  using streams = await sandbox.streamPorts.take(request, signal);
  policy.checkStreams(request);
  verifyId(id);
  if (OCI === undefined) throw invalidArgument("the request has no OCI spec");
  const spec = validateSpec(specFromProto(OCI));
  checkSharedMounts(sharedMounts);
  const unserved = unservedIn(spec);
  if (unserved) throw unimplemented(`CreateContainer: ${unserved}`);
  await sandbox.createContainer({
    id,
    spec,
    sandboxPidns,
    devices,
    storages,
    sharedMounts,
    signal,
  });
  sandbox.process(id, "").connect(streams);
};
