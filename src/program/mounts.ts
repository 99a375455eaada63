// The mounts of the spec, in its order, by descriptor: each is made detached, given its attributes,
// and only then attached to a place that was looked up inside the rootfs.
import type { Reg } from "../linux/call.ts";
import { RESOLVE } from "../linux/constants.ts";
import { fsetxattr, openInRoot, openat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { mount_setattr } from "../linux/mount.ts";
import { MOUNT_ATTR, MS } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import { type MountOptions, parseMountOptions } from "../oci/mount-options.ts";
import { components } from "../oci/path-components.ts";
import type { Mount } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";
import { type MountContext, attach, settle } from "./attach-mount.ts";
import { cloneSource } from "./bind-mount.ts";
import { mountCgroup } from "./cgroup-mount.ts";
import { labelled, attributesOf, newFilesystem } from "./filesystem.ts";
import { kindOf } from "./mount-kind.ts";
import { takeOverCovered } from "./tmpfs.ts";

/** A mount that is to be read-only, and is held open until then. */
export type Unfinished = { readonly destination: string; readonly mount: Reg };

/** Gives the mounts that `makeMountsReadonly` is still to be called for. */
export function mountAll(
  tape: Tape,
  mounts: readonly Mount[],
  context: MountContext,
): readonly Unfinished[] {
  return mounts.flatMap((mount) => mountOne(tape, mount, context) ?? []);
}

/** When all that is to be in them is there: mount points, links, devices, the console. */
export function makeMountsReadonly(tape: Tape, unfinished: readonly Unfinished[]): void {
  for (const { destination, mount } of unfinished) {
    tape.do(`make ${destination} read-only`, mount_setattr(mount, { set: MOUNT_ATTR.RDONLY }));
    tape.do(`close the mount of ${destination}`, close(mount));
  }
}

/** True if the container's /dev is the guest's, or a directory of it: it is then not ours to fill. */
export function bindsDev(mounts: readonly Mount[]): boolean {
  return mounts.some((mount) => {
    if (components(mount.destination).join("/") !== "dev") return false;
    const kind = kindOf(mount, parseMountOptions(mount.options ?? []));
    return kind === "bind" || (kind === "new" && mount.type === "devtmpfs");
  });
}

function mountOne(tape: Tape, mount: Mount, context: MountContext): Unfinished | undefined {
  const options = parseMountOptions(mount.options ?? []);
  switch (kindOf(mount, options)) {
    case "remount":
      return void remount(tape, mount, options, context);
    case "bind":
      return void bind(tape, mount, options, context);
    case "cgroup":
      return void mountCgroup(tape, mount, options, context);
    case "new":
      return mountNew(tape, mount, options, context);
  }
}

function bind(tape: Tape, mount: Mount, options: MountOptions, context: MountContext): void {
  const tree = context.prepared.get(mount) ?? cloneSource(tape, mount, options, context);
  attach(tape, tree, mount, options, context, { like: tree });
  tape.do(`close the mount of ${mount.destination}`, close(tree));
}

/** Only flags of the mount that is there already. */
function remount(tape: Tape, mount: Mount, options: MountOptions, { root }: MountContext): void {
  const { destination } = mount;
  const target = tape.fd(`open ${destination}`, openInRoot(root, destination, O.PATH));
  tape.do(`remount ${destination}`, mount_setattr(target, attributesOf(options)));
  settle(tape, target, destination, options);
  tape.do(`close ${destination}`, close(target));
}

/** A tmpfs begins empty, so it is not read-only before it has been filled. */
function mountNew(
  tape: Tape,
  mount: Mount,
  options: MountOptions,
  context: MountContext,
): Unfinished | undefined {
  const { label } = context;
  const { destination, type = "none" } = mount;
  const isUnfinished = type === "tmpfs" && (options.flags & MS.RDONLY) !== 0;
  const flags = isUnfinished ? options.flags & ~MS.RDONLY : options.flags;
  const made =
    context.prepared.get(mount) ??
    newFilesystem(tape, type, mount, labelled(type, { ...options, flags }, label));
  if (type === "mqueue" && label !== undefined) labelRoot(tape, made, destination, label);
  if (type === "tmpfs") takeOverCovered(tape, made, mount, options, context);
  attach(tape, made, mount, options, context, "directory", resolveFor(type));
  if (isUnfinished) return { destination, mount: made };
  return void tape.do(`close the mount of ${destination}`, close(made));
}

/** The kernel takes no label for a new mqueue. */
function labelRoot(tape: Tape, made: Reg, destination: string, label: string): void {
  const open = openat(made, ".", O.RDONLY | O.DIRECTORY);
  const directory = tape.fd(`open the new ${destination}`, open);
  const set = fsetxattr(directory, "security.selinux", label);
  tape.do(`set linux.mountLabel of ${destination}`, set);
  tape.do(`close the new ${destination}`, close(directory));
}

/** A link at /proc or /sys would put the real one elsewhere and let the image play it. */
function resolveFor(type: string): number {
  return type === "proc" || type === "sysfs" ? RESOLVE.NO_SYMLINKS : 0;
}
