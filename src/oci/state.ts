// The state of a container as hooks get it on standard input (OCI runtime spec, "State").
import type { Annotations } from "./spec.ts";

export const CONTAINER_STATUSES = ["creating", "created", "running", "stopped", "paused"] as const;
export type ContainerStatus = (typeof CONTAINER_STATUSES)[number];

export type State = {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: ContainerStatus;
  /** Of the init process, as the reader of the state sees it. */
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Annotations | undefined;
};

/** One JSON object. Empty strings and maps are left out; a stopped container has the pid 0. */
export function stateJson({ ociVersion, id, status, pid, bundle, annotations }: State): string {
  return JSON.stringify({
    ociVersion: ociVersion || undefined,
    id: id || undefined,
    status,
    pid: status === "stopped" ? 0 : pid,
    bundle: bundle || undefined,
    annotations: Object.keys(annotations ?? {}).length === 0 ? undefined : annotations,
  });
}
