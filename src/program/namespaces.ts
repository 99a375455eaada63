// The namespaces of a container. Its pid namespace is made or entered by the clone itself, since
// only children move there; all others here.
import { CLONE } from "../linux/constants.ts";
import { close } from "../linux/io.ts";
import { setns, unshare } from "../linux/process.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Tape } from "../tape/tape.ts";

/** Descriptors, in the agent, of namespaces to enter. */
export type Joined = { readonly [type in NamespaceType]?: number };

export const CLONE_FLAG = {
  mount: CLONE.NEWNS,
  pid: CLONE.NEWPID,
  network: CLONE.NEWNET,
  uts: CLONE.NEWUTS,
  ipc: CLONE.NEWIPC,
  user: CLONE.NEWUSER,
  cgroup: CLONE.NEWCGROUP,
  time: CLONE.NEWTIME,
} as const satisfies Record<NamespaceType, number>;

/** Mount last: after it, paths are the container's. */
const JOIN_ORDER = ["ipc", "uts", "network", "cgroup", "mount"] as const;

export function joinNamespaces(tape: Tape, joined: Joined): void {
  for (const type of JOIN_ORDER) {
    const fd = joined[type];
    if (fd === undefined) continue;
    tape.do(`enter the ${type} namespace`, setns(fd, CLONE_FLAG[type]));
    tape.do(`close the ${type} namespace`, close(fd));
  }
}

/** One call for all: each costs the kernel a new set of namespaces. */
export function newNamespaces(tape: Tape, types: readonly NamespaceType[]): void {
  const made = types.filter((type) => type !== "pid");
  if (made.length === 0) return;
  const flags = made.reduce((bits, type) => bits | CLONE_FLAG[type], 0);
  tape.do(`create new ${made.join(", ")} namespaces`, unshare(flags));
}
