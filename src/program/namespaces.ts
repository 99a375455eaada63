// The namespaces of a container. Its pid namespace is made or entered by the clone itself, since
// only children move there; all others here.
import { AT_FDCWD, CLONE } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { close, writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { setns, unshare } from "../linux/process.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { TimeOffset, TimeOffsets } from "../oci/spec.ts";
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

/**
 * The user namespace after those that may belong to another one: who is in it can enter only what
 * it owns. Mount last: after it, paths are the container's.
 */
const JOIN_ORDER = ["ipc", "uts", "network", "cgroup", "time", "pid", "user"] as const;

/** All but the mount namespace. Only children move into a pid namespace, so that takes a fork. */
export function joinNamespaces(tape: Tape, joined: Joined): void {
  for (const type of JOIN_ORDER) join(tape, joined, type);
}

export function joinMountNamespace(tape: Tape, joined: Joined): void {
  join(tape, joined, "mount");
}

function join(tape: Tape, joined: Joined, type: NamespaceType): void {
  const fd = joined[type];
  if (fd === undefined) return;
  tape.do(`enter the ${type} namespace`, setns(fd, CLONE_FLAG[type]));
  tape.do(`close the ${type} namespace`, close(fd));
}

/** One call for all: each costs the kernel a new set of namespaces. */
export function newNamespaces(tape: Tape, types: readonly NamespaceType[]): void {
  const made = types.filter((type) => type !== "pid" && type !== "time");
  if (made.length === 0) return;
  const flags = made.reduce((bits, type) => bits | CLONE_FLAG[type], 0);
  tape.do(`create new ${made.join(", ")} namespaces`, unshare(flags));
}

/**
 * unshare(2) makes it for children only, and its clocks can be set until somebody is in it:
 * time_namespaces(7). As root of the guest, whom the files below /proc/self belong to.
 */
export function newTimeNamespace(tape: Tape, offsets: TimeOffsets = {}): void {
  tape.do("create a new time namespace", unshare(CLONE.NEWTIME));
  const text =
    offsetLine("monotonic", offsets.monotonic) + offsetLine("boottime", offsets.boottime);
  if (text !== "") {
    const open = openat(AT_FDCWD, "/proc/self/timens_offsets", O.WRONLY);
    const file = tape.fd("open the offsets of the clocks", open);
    tape.do("set the offsets of the clocks", writeText(file, text));
    tape.do("close the offsets of the clocks", close(file));
  }
  const open = openat(AT_FDCWD, "/proc/self/ns/time_for_children", O.RDONLY);
  const made = tape.fd("open the time namespace", open);
  tape.do("enter the time namespace", setns(made, CLONE.NEWTIME));
  tape.do("close the time namespace", close(made));
}

function offsetLine(clock: string, offset: TimeOffset | undefined): string {
  if (offset === undefined) return "";
  const { secs = 0, nanosecs = 0 } = offset;
  return `${clock} ${secs} ${nanosecs}\n`;
}
