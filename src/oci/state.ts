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
export function stateJson(state: State): string {
  return JSON.stringify(stateObject(state));
}

/**
 * What whoever answers for system calls is told of a process, beside the descriptor: "The Container
 * Process State" of the OCI runtime spec. `pid` is the process's own, as the agent sees it.
 */
export function processStateJson(state: State, pid: number, metadata: string | undefined): string {
  const { ociVersion } = state;
  return JSON.stringify({
    ociVersion,
    fds: ["seccompFd"],
    pid,
    metadata: metadata || undefined,
    state: stateObject(state),
  });
}

function stateObject({ ociVersion, id, status, pid, bundle, annotations }: State): object {
  return {
    ociVersion: ociVersion || undefined,
    id: id || undefined,
    status,
    pid: status === "stopped" ? 0 : pid,
    bundle: bundle || undefined,
    annotations: Object.keys(annotations ?? {}).length === 0 ? undefined : annotations,
  };
}

/** As Kata's hosts know it. */
export function stateName(status: ContainerStatus): string {
  return status.slice(0, 1).toUpperCase() + status.slice(1);
}
