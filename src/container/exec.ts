// One more process in a container.
import type { Cgroup } from "../cgroup/cgroup.ts";
import type { Fd } from "../kernel/fd.ts";
import { KernelError } from "../linux/error.ts";
import type { SeccompFilter } from "../linux/seccomp.ts";
import type { IdMaps } from "../oci/id-mapping.ts";
import type { ContainerProcess, ContainerSpec } from "../oci/valid-spec.ts";
import { execProgram } from "../program/exec.ts";
import type { Bundle } from "./bundle.ts";
import { environmentOf } from "./environment.ts";
import type { Guest } from "./guest.ts";
import type { Homes } from "./homes.ts";
import { limitStops } from "./limits.ts";
import type { PinnedNamespaces } from "./pinned-namespaces.ts";
import type { Process } from "./process.ts";
import { labelsOf } from "./security-modules.ts";
import { takeListener } from "./seccomp-listener.ts";
import { spawn } from "./spawn.ts";

/** A container, as far as it is entered. */
export type Entered = {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly guest: Guest;
  readonly bundle: Bundle;
  readonly cgroup: Cgroup;
  readonly init: Process;
  readonly pinned: PinnedNamespaces;
  /** The container's root, as its processes see it. */
  readonly root: Fd;
  readonly seccomp: SeccompFilter | undefined;
  readonly ids: IdMaps | undefined;
  readonly homes: Homes;
};

/** Throws a TapeError, a KernelError, or what `signal` says; then the process has ended. */
export async function spawnExec(
  container: Entered,
  execId: string,
  process: ContainerProcess,
  signal: AbortSignal,
): Promise<Process> {
  const { cgroup, init, spec, homes, root } = container;
  const asked = likeInit(process, spec.process);
  const environment = await environmentOf(asked, homes, root, signal);
  const exec = { execId, process: asked, environment, signal };
  const spawnIn = (entry: Cgroup["entry"]) => spawnAt(container, exec, entry);
  try {
    return await spawnIn(cgroup.entry);
  } catch (error) {
    if (!isBusy(error) || init.exitStatus !== undefined) throw error;
    // A container that shares its own cgroup out among cgroups of its own must have no process in it
    // (cgroups(7), "no internal processes"). Its first process has found a place.
    using directory = cgroup.nestedOf(init.child.pid);
    if (directory === undefined) throw error;
    return await spawnIn({ kind: "clone", directory });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof KernelError && error.call.name === "clone3" && error.is("EBUSY");
}

type Exec = {
  readonly execId: string;
  readonly process: ContainerProcess;
  readonly environment: readonly string[];
  readonly signal: AbortSignal;
};

function spawnAt(container: Entered, exec: Exec, entry: Cgroup["entry"]): Promise<Process> {
  const { id, spec, guest, init, pinned, seccomp, ids } = container;
  const { execId, process, environment, signal } = exec;
  const labels = labelsOf(process, guest.warn);
  return spawn({
    execId,
    terminal: process.terminal === true,
    until: "executed",
    stops: limitStops(ids, process),
    cgroup: { entry },
    guest,
    take: takeListener(container, "running", init.child.pid),
    signal,
    program: (birth) =>
      execProgram(process, {
        ...birth,
        containerId: id,
        environment,
        ids,
        joined: pinned.joined,
        served: spec.linux,
        labels,
        seccomp,
      }),
  });
}

/** What the request does not say is as for the first process. */
function likeInit(process: ContainerProcess, init: ContainerProcess): ContainerProcess {
  return {
    ...process,
    capabilities: process.capabilities ?? init.capabilities,
    rlimits: process.rlimits ?? init.rlimits,
    oomScoreAdj: process.oomScoreAdj ?? init.oomScoreAdj,
    scheduler: process.scheduler ?? init.scheduler,
    ioPriority: process.ioPriority ?? init.ioPriority,
    execCPUAffinity: process.execCPUAffinity ?? init.execCPUAffinity,
    selinuxLabel: process.selinuxLabel ?? init.selinuxLabel,
    apparmorProfile: process.apparmorProfile ?? init.apparmorProfile,
  };
}

/** What clone(2) says of a pid namespace that has just ended. */
export function isBornTooLate(error: unknown): boolean {
  return error instanceof KernelError && error.call.name === "clone3" && error.is("ENOMEM");
}
