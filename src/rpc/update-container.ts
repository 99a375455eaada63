import { resourcesFromProto } from "../oci/from-proto-resources.ts";
import { validateResources } from "../oci/validate-resources.ts";
import type { Handler } from "./handler.ts";

/** Change the limits of a container. What the request does not name stays as it is. */
export const updateContainer: Handler<"updateContainer"> = async (request, { sandbox }) => {
  const container = sandbox.container(request.containerId);
  if (request.resources === undefined) return;
  const resources = resourcesFromProto(request.resources);
  validateResources(resources);
  await container.update(resources);
};
