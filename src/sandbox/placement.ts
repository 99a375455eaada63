// Which namespaces a container of the pod enters and which are made for it: rpc.md 6.3, step 12.
import type { Placement } from "../container/init.ts";
import { internal } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import { type NamespaceType, hasNamespace } from "../oci/namespace.ts";
import type { Linux } from "../oci/spec.ts";
import type { SandboxNamespaces } from "./namespaces.ts";
import type { PodUserNamespace } from "./user-namespaces.ts";

export type Pod = {
  readonly namespaces: SandboxNamespaces | undefined;
  /** The container's own. */
  readonly userNamespace: PodUserNamespace | undefined;
  /** The pid namespace of the pod's first container. */
  readonly pidNamespace: Fd | undefined;
  readonly hasContainers: boolean;
  readonly cgroupVersion: 1 | 2;
};

/** Descriptors opened here go to `opened`. */
export function placementOf(
  linux: Linux,
  sandboxPidns: boolean,
  pod: Pod,
  opened: DisposableStack,
): Placement {
  const { namespaces = [] } = linux;
  if (!hasNamespace(linux, "mount")) {
    throw new InvalidSpec("linux.namespaces: a container needs a mount namespace");
  }
  const joined = new Map<NamespaceType, Fd>();
  const created: NamespaceType[] = [];
  // Nobody in a user namespace could use those of the pod that belong to the guest's.
  const names = pod.userNamespace === undefined ? pod.namespaces : pod.userNamespace.names;
  for (const { type, path } of namespaces) {
    const ours =
      type === "user"
        ? pod.userNamespace?.user
        : type === "ipc" || type === "uts"
          ? names?.[type]
          : undefined;
    // Where a container has always had its own pid namespace or the pod's, the list says nothing.
    if (type === "pid") continue;
    if (ours !== undefined) joined.set(type, ours);
    else if (path === undefined || type === "ipc" || type === "uts") created.push(type);
    else joined.set(type, opened.use(openPath(type, path)));
  }
  // Its cgroup is the root of what a container sees, whether the spec asks or not.
  if (pod.cgroupVersion === 2 && !hasNamespace(linux, "cgroup")) created.push("cgroup");
  const pid = sandboxPidns ? sharedPidNamespace(pod) : undefined;
  if (pid === undefined) created.push("pid");
  else joined.set("pid", pid);
  return { joined, created, ids: pod.userNamespace?.maps };
}

function sharedPidNamespace({ pidNamespace, hasContainers }: Pod): Fd | undefined {
  if (pidNamespace === undefined && hasContainers) {
    throw internal("Sandbox does not have sandbox_pidns");
  }
  return pidNamespace;
}

function openPath(type: NamespaceType, path: string): Fd {
  if (type === "mount")
    throw new InvalidSpec("linux.namespaces: a mount namespace cannot be joined");
  // The host may name anything, and to open a FIFO would wait for somebody to write to it.
  const open = openat(AT_FDCWD, path, O.RDONLY | O.NONBLOCK);
  return Fd.of(`open the ${type} namespace ${path}`, open);
}
