// What runtimes tell about a container beside its spec. Only keys that change what the agent does.
import type { Annotations } from "./spec.ts";

const CONTAINER_NAME = [
  "io.kubernetes.cri.container-name",
  "io.kubernetes.cri-o.ContainerName",
] as const;

const KATA_CONTAINER_TYPE = "io.katacontainers.pkg.oci.container_type";

/** True for the pod's own container, the one that runs `pause`, as the Kata runtime tells it. */
export function isPodSandbox(annotations: Annotations = {}): boolean {
  return annotations[KATA_CONTAINER_TYPE] === "pod_sandbox";
}

/** Where in the container its program says why it has ended. */
export function terminationLogPath(annotations: Annotations = {}): string | undefined {
  return annotations["io.kubernetes.container.terminationMessagePath"];
}

/** The name of the container in its pod, by which shared mounts refer to it. */
export function containerName(annotations: Annotations = {}): string | undefined {
  const key = CONTAINER_NAME.find((name) => annotations[name] !== undefined);
  return key && annotations[key];
}
