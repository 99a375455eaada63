// The container's root: made a mount of its own while the agent's tree is still visible, entered
// once everything is mounted in it.
import { AT_FDCWD } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { chdir, chroot, fchdir, openat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import {
  attachMountAt,
  cloneMount,
  detach,
  mountBind,
  mountMove,
  mountPropagation,
  mount_setattr,
  pivot_root,
} from "../linux/mount.ts";
import { MOUNT_ATTR, MS } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import type { RootfsPropagation } from "../oci/spec.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import { skip, type Tape } from "../tape/tape.ts";

export type Rootfs = {
  /** Where the host said the root is. */
  readonly source: string;
  /** `/run/kata-containers/<id>/rootfs`, which host programs know. */
  readonly target: string;
  /** False where a storage has already mounted the root at the target. */
  readonly bind: boolean;
};

/** How the root is entered: `move` where `/` is the initramfs, which pivot_root(2) refuses. */
export type RootSwitch =
  { readonly kind: "pivot" } | { readonly kind: "move"; readonly detach: readonly string[] };

/** In the agent's mount namespace, so that the mount outlives the container's first process. */
export function bindRootfs(tape: Tape, { source, target, bind }: Rootfs): void {
  if (bind) tape.do(`bind ${source} on ${target}`, mountBind(source, target));
}

/** Nothing that is mounted from here on reaches the agent, unless the spec asks for it. */
export function isolateMounts(tape: Tape, propagation: RootfsPropagation | undefined): void {
  const asked = propagation === undefined ? MS.SLAVE : propagationFlags(propagation);
  // Of a tree that is unbindable the container's root could not be made.
  const flags = (asked & MS.UNBINDABLE) === 0 ? asked : MS.SLAVE;
  tape.do("set the propagation of /", mountPropagation("/", flags | MS.REC));
}

/** The root as a mount; the register holds its directory. */
export function mountRootfs(tape: Tape, { target }: Rootfs): Reg {
  // A mount on a shared parent would appear in the agent, and pivot_root(2) refuses one. Which
  // directory is the mount is not known here: only a mount point accepts the call.
  tape.firstOf(
    upwards(target).map((path) => [`make ${path} private`, mountPropagation(path, MS.PRIVATE)]),
    ["EINVAL"],
  );
  const tree = tape.fd(`clone ${target}`, cloneMount(AT_FDCWD, target, true));
  tape.do(`make the root private`, mount_setattr(tree, { propagation: MS.PRIVATE }));
  tape.do(`mount the root on ${target}`, attachMountAt(tree, target));
  tape.do("close the root's mount", close(tree));
  return tape.fd(`open ${target}`, openat(AT_FDCWD, target, O.PATH | O.DIRECTORY));
}

/** Keeps whatever other flags the mount has. */
export function makeRootReadonly(tape: Tape, root: Reg): void {
  tape.do("make the root read-only", mount_setattr(root, { set: MOUNT_ATTR.RDONLY }));
}

export function enterRootfs(tape: Tape, root: Reg, how: RootSwitch): void {
  if (how.kind === "pivot") pivot(tape, root);
  else moveOver(tape, root, how.detach);
  tape.do("change directory to /", chdir("/"));
}

function pivot(tape: Tape, root: Reg): void {
  const old = tape.fd("open the old root", openat(AT_FDCWD, "/", O.PATH | O.DIRECTORY));
  tape.do("enter the new root", fchdir(root));
  tape.do("pivot the root", pivot_root(".", "."));
  tape.do("return to the old root", fchdir(old));
  // Else its unmount would reach the agent where the spec asks for shared propagation.
  tape.do("make the old root a slave", mountPropagation(".", MS.SLAVE | MS.REC));
  tape.do("detach the old root", detach("."));
  tape.do("close the old root", close(old));
}

/** What the initramfs has mounted is detached first: it would stay in the namespace, out of sight. */
function moveOver(tape: Tape, root: Reg, mounts: readonly string[]): void {
  const mayBeGone = { EINVAL: skip, ENOENT: skip } as const;
  // Else all this would happen to the agent's mounts where the spec asks for shared propagation.
  tape.do("make / a slave", mountPropagation("/", MS.SLAVE));
  for (const path of mounts) {
    const slave = mountPropagation(path, MS.SLAVE | MS.REC);
    tape.do(`make ${path} a slave`, slave, mayBeGone);
    tape.do(`detach ${path}`, detach(path), mayBeGone);
  }
  tape.do("enter the new root", fchdir(root));
  tape.do("move the root over /", mountMove(".", "/"));
  tape.do("change the root", chroot("."));
}

/** What was set on the agent's tree went away with it. */
export function reapplyPropagation(tape: Tape, propagation: RootfsPropagation | undefined): void {
  if (propagation === undefined) return;
  const flags = propagationFlags(propagation);
  if ((flags & (MS.SHARED | MS.UNBINDABLE)) === 0) return;
  tape.do("set the propagation of the container's /", mountPropagation("/", flags));
}

function propagationFlags(propagation: RootfsPropagation): number {
  return parseMountOptions([propagation]).propagation[0] ?? MS.SLAVE;
}

/** The path and all its parents, up to `/`. */
function upwards(path: string): readonly string[] {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return path === "/" || path === "" ? ["/"] : [path, ...upwards(parent)];
}
