// The first process of a container, from clone to execve: the order of the world.
//
// Three places matter: the agent's own namespaces (1), the container's namespaces with the agent's
// tree still in sight (2), and the container's root (3).
import { setsid } from "../linux/process.ts";
import type { TreeEntry } from "../linux/tree-entry.ts";
import { hasCreateHooks } from "../oci/hooks.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Device, Mount } from "../oci/spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { Tape } from "../tape/tape.ts";
import { type Birth, enterKeyring, enterSecurity, leaveAgent, spareNumber } from "./birth.ts";
import { enterCgroup } from "./cgroup-entry.ts";
import type { CgroupView } from "./cgroup-view.ts";
import { closeOthers } from "./descriptors.ts";
import { populateDev } from "./devices.ts";
import { checkEntrypoint, execute } from "./entrypoint.ts";
import { setNames } from "./hostname.ts";
import { assumeIdentity } from "./identity.ts";
import { makePathsReadonly, maskPaths } from "./masked-paths.ts";
import { openTarget } from "./mount-target.ts";
import { bindsDev, makeMountsReadonly, mountAll } from "./mounts.ts";
import { type Joined, joinNamespaces, newNamespaces, newTimeNamespace } from "./namespaces.ts";
import { NOTHING_PREPARED, type Prepared, prepare } from "./prepared.ts";
import {
  type RootSwitch,
  type Rootfs,
  bindRootfs,
  enterRootfs,
  isolateMounts,
  makeRootReadonly,
  mountRootfs,
  reapplyPropagation,
} from "./rootfs.ts";
import { filterBeforeExecve, isFilteredEarly } from "./seccomp-filter.ts";
import { writeSysctls } from "./sysctls.ts";
import { controlTerminal, mountConsole, openTerminal } from "./terminal.ts";
import { beBornInside, becomeRootInside } from "./user-namespace.ts";

export type InitContext = Birth & {
  /** `/run/kata-containers/<id>` */
  readonly bundle: string;
  readonly rootfs: Rootfs;
  readonly rootSwitch: RootSwitch;
  readonly joined: Joined;
  readonly created: readonly NamespaceType[];
  readonly cgroupView: CgroupView;
  /** linux.mountLabel, where the guest's kernel has SELinux. */
  readonly mountLabel?: string | undefined;
  /** The user namespaces whose maps mounts have, by their descriptors in the agent. */
  readonly idMapped: ReadonlyMap<Mount, number>;
  /** What is in the directories of the image that mounts with `tmpcopyup` cover. */
  readonly copied: ReadonlyMap<Mount, readonly TreeEntry[]>;
};

export function initProgram(spec: ContainerSpec, context: InitContext): Tape {
  const { process, linux, mounts = [] } = spec;
  const { joined, created, ids } = context;
  const tape = new Tape();

  // 1. The root is bound where host programs expect it, which only the agent's namespace shows.
  leaveAgent(tape, context, [...Object.values(joined), ...context.idMapped.values()], process);
  enterCgroup(tape, context.cgroupFiles);
  enterSecurity(tape, context);
  bindRootfs(tape, context.rootfs);
  const devices = bindsDev(mounts) ? undefined : (linux.devices ?? []);
  const prepared = prepareFor(tape, spec, context, devices);

  // 2. Joined namespaces come first: an mqueue shows the ipc namespace it is mounted from.
  joinNamespaces(tape, joined);
  if (created.includes("time")) newTimeNamespace(tape, linux.timeOffsets);
  if (ids !== undefined || joined.pid !== undefined) beBornInside(tape, created);
  if (ids !== undefined) {
    becomeRootInside(tape);
    enterKeyring(tape, context.containerId);
  }
  newNamespaces(tape, created);
  if (created.includes("uts")) setNames(tape, spec);
  // A copy for another user namespace is a slave by itself.
  if (ids === undefined) isolateMounts(tape, linux.rootfsPropagation);
  const root = mountRootfs(tape, context.rootfs);
  const { cgroupView: cgroup, mountLabel: label } = context;
  const where = { ...context, root, cgroup, ids, label, prepared: prepared.mounts };
  const unfinished = mountAll(tape, mounts, where);
  const master = spareNumber(context);
  if (devices !== undefined) populateDev(tape, root, devices, prepared.devices);
  if (process.terminal === true)
    mountConsole(tape, root, openTerminal(tape, root, process, master));
  // Hooks see the agent's tree and may still change the root, as under runc.
  if (hasCreateHooks(spec.hooks ?? {})) tape.park("wait for the hooks");
  // Before the paths they are written through become masked or read-only.
  writeSysctls(tape, linux.sysctl ?? {});
  // Masked before read-only: a masked path below a read-only one is then covered, too.
  maskPaths(tape, root, linux.maskedPaths ?? [], context.mountLabel);
  makePathsReadonly(tape, root, linux.readonlyPaths ?? []);
  // As runc does: an image need not have the directory its process starts in.
  if (process.cwd !== "/") openTarget(tape, root, process.cwd, "directory");
  makeMountsReadonly(tape, unfinished);
  if (spec.root.readonly === true) makeRootReadonly(tape, root);

  // 3. No descriptor of the guest's tree survives the switch: one would be a way out (CVE-2024-21626).
  enterRootfs(tape, root, context.rootSwitch);
  reapplyPropagation(tape, linux.rootfsPropagation);
  closeOthers(tape, process.terminal === true ? [context.control, master] : [context.control]);
  tape.do("start a session", setsid());
  if (process.terminal === true) controlTerminal(tape);
  assumeIdentity(tape, process, context, linux);

  const { environment } = context;
  const isFiltered = isFilteredEarly(process, context);
  const entrypoint = { args: process.args, environment, isFiltered };
  checkEntrypoint(tape, entrypoint);
  tape.park("wait for the start");
  execute(tape, entrypoint, () => filterBeforeExecve(tape, process, context));
  return tape;
}

/** A user namespace has no rights over the guest: what takes them is done before it is entered. */
function prepareFor(
  tape: Tape,
  { mounts = [], linux }: ContainerSpec,
  { ids, created, bundle, idMapped }: InitContext,
  devices: readonly Device[] | undefined,
): Prepared {
  if (ids === undefined) return NOTHING_PREPARED;
  const { rootfsPropagation: propagation } = linux;
  return prepare(tape, mounts, devices, { ids, created, bundle, idMapped, propagation });
}
