// The first process of a container.
import type { Cgroup } from "../cgroup/cgroup.ts";
import type { Fd } from "../kernel/fd.ts";
import type { SeccompFilter } from "../linux/seccomp.ts";
import { hasCreateHooks } from "../oci/hooks.ts";
import type { IdMaps } from "../oci/id-mapping.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Mount } from "../oci/spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { initProgram } from "../program/init.ts";
import { CLONE_FLAG } from "../program/namespaces.ts";
import type { Labels } from "../program/security-labels.ts";
import type { Child } from "../tape/player.ts";
import type { Bundle } from "./bundle.ts";
import { entriesToCopy } from "./copy-up.ts";
import type { Guest } from "./guest.ts";
import type { Process } from "./process.ts";
import { limitStops } from "./limits.ts";
import { takeListener } from "./seccomp-listener.ts";
import type { Stop } from "../child/end-of.ts";
import { spawn } from "./spawn.ts";

/** Where a container lives: each kind of namespace is entered, made, or the guest's own. */
export type Placement = {
  readonly joined: ReadonlyMap<NamespaceType, Fd>;
  readonly created: readonly NamespaceType[];
  /** The maps of its user namespace; undefined: it lives in the guest's. */
  readonly ids: IdMaps | undefined;
};

export type Asked = {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly guest: Guest;
  readonly placement: Placement;
  readonly signal: AbortSignal;
};

export type CreateInit = Asked & {
  readonly bundle: Bundle;
  readonly cgroup: Cgroup;
  readonly seccomp: SeccompFilter | undefined;
  readonly environment: Promise<readonly string[]>;
  readonly labels: Labels;
  readonly mountLabel: string | undefined;
  readonly idMapped: ReadonlyMap<Mount, Fd>;
  readonly meanwhile: () => void;
  /** Run the hooks that come before the root is entered, for the first process `pid`. */
  readonly runHooks: (pid: number) => Promise<void>;
};

/** Everything is done but the execve: the process waits for the start. */
export async function createInit(options: CreateInit): Promise<Process> {
  const { id, spec, guest, placement, bundle, cgroup, seccomp, idMapped, signal } = options;
  const { labels, mountLabel } = options;
  const { joined, created, ids } = placement;
  const copied = await entriesToCopy(spec, signal);
  const environment = await options.environment;
  return await spawn({
    execId: id,
    terminal: spec.process.terminal === true,
    until: "parked",
    stops: stopsOf(options),
    // Who lives in a user namespace is born into its pid namespace from inside.
    namespaces: created.includes("pid") && ids === undefined ? CLONE_FLAG.pid : 0,
    cgroup,
    guest,
    take: takeListener(options, "creating"),
    meanwhile: options.meanwhile,
    signal,
    program: (birth) =>
      initProgram(spec, {
        ...birth,
        containerId: id,
        bundle: bundle.path,
        rootfs: bundle.rootfs,
        rootSwitch: guest.rootSwitch,
        environment,
        joined: Object.fromEntries([...joined].map(([type, fd]) => [type, fd.number])),
        created,
        ids,
        idMapped: new Map([...idMapped].map(([mount, { number }]) => [mount, number])),
        copied,
        cgroupView: cgroup.view,
        labels,
        mountLabel,
        seccomp,
      }),
  });
}

/** In the order of the tape. */
function stopsOf({ spec, placement, runHooks }: CreateInit): readonly Stop[] {
  const { process, hooks = {} } = spec;
  return [
    ...(hasCreateHooks(hooks) ? [({ pid }: Child) => runHooks(pid)] : []),
    ...limitStops(placement.ids, process),
  ];
}

/** The namespaces an exec enters: whatever is not simply the guest's. */
export function kindsOf({ joined, created }: Placement): readonly NamespaceType[] {
  return [...new Set([...joined.keys(), ...created])];
}
