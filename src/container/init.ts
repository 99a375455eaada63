// The first process of a container.
import type { Cgroup } from "../cgroup/cgroup.ts";
import { Fd } from "../kernel/fd.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import type { SeccompFilter } from "../linux/seccomp.ts";
import { hasCreateHooks } from "../oci/hooks.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { initProgram } from "../program/init.ts";
import { CLONE_FLAG, type Joined } from "../program/namespaces.ts";
import type { Labels } from "../program/security-labels.ts";
import type { Bundle } from "./bundle.ts";
import { environmentOf } from "./environment.ts";
import type { Guest } from "./guest.ts";
import type { Process } from "./process.ts";
import { takeListener } from "./seccomp-listener.ts";
import { spawn } from "./spawn.ts";

/** Where a container lives: each kind of namespace is entered, made, or the guest's own. */
export type Placement = {
  readonly joined: ReadonlyMap<NamespaceType, Fd>;
  readonly created: readonly NamespaceType[];
};

export type CreateInit = {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly guest: Guest;
  readonly placement: Placement;
  readonly bundle: Bundle;
  readonly cgroup: Cgroup;
  readonly seccomp: SeccompFilter | undefined;
  readonly labels: Labels;
  readonly mountLabel: string | undefined;
  readonly signal: AbortSignal;
  /** Run the hooks that come before the root is entered, for the first process `pid`. */
  readonly runHooks: (pid: number) => Promise<void>;
};

/** Everything is done but the execve: the process waits for the start. */
export function createInit(options: CreateInit): Promise<Process> {
  const { id, spec, guest, placement, bundle, cgroup, seccomp, signal, runHooks } = options;
  const { labels, mountLabel } = options;
  const { joined, created } = placement;
  using root = Fd.of(
    `open ${spec.root.path}`,
    openat(AT_FDCWD, spec.root.path, O.PATH | O.DIRECTORY),
  );
  const environment = environmentOf(spec.process, root);
  return spawn({
    execId: id,
    terminal: spec.process.terminal === true,
    until: "parked",
    ...(hasCreateHooks(spec.hooks ?? {}) ? { whileParked: ({ pid }) => runHooks(pid) } : {}),
    namespaces: created.includes("pid") ? CLONE_FLAG.pid : 0,
    pidNamespace: joined.get("pid"),
    cgroup,
    guest,
    take: takeListener(options, "creating"),
    signal,
    program: (birth) =>
      initProgram(spec, {
        ...birth,
        containerId: id,
        bundle: bundle.path,
        rootfs: bundle.rootfs,
        rootSwitch: guest.rootSwitch,
        environment,
        joined: enteredByTape(joined),
        created,
        cgroupView: cgroup.view,
        labels,
        mountLabel,
        seccomp,
      }),
  });
}

/** All but the pid namespace, in which the child is born. */
function enteredByTape(joined: ReadonlyMap<NamespaceType, Fd>): Joined {
  const entered = [...joined].filter(([type]) => type !== "pid");
  return Object.fromEntries(entered.map(([type, fd]) => [type, fd.number]));
}
