// The mounts of the spec, in its order, by descriptor: each is made detached, given its attributes,
// and only then attached to a place that was looked up inside the rootfs.
import { AT_FDCWD, RESOLVE } from "../linux/constants.ts";
import { openInRoot } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { cloneMount, mount_setattr } from "../linux/mount.ts";
import { MS } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import { type MountOptions, parseMountOptions } from "../oci/mount-options.ts";
import { components, isAbsolute } from "../oci/path-components.ts";
import type { Mount } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";
import { type MountContext, attach } from "./attach-mount.ts";
import { mountCgroup } from "./cgroup-mount.ts";
import { attributesOf, newFilesystem } from "./filesystem.ts";

export function mountAll(tape: Tape, mounts: readonly Mount[], context: MountContext): void {
  for (const mount of mounts) mountOne(tape, mount, context);
}

function mountOne(tape: Tape, mount: Mount, context: MountContext): void {
  const options = parseMountOptions(mount.options ?? []);
  if (isBind(mount, options)) return bind(tape, mount, options, context);
  if ((options.flags & MS.REMOUNT) !== 0) return remount(tape, mount, options, context);
  if (mount.type === "cgroup" || mount.type === "cgroup2") {
    return mountCgroup(tape, mount, options, context);
  }
  const type = mount.type ?? "none";
  const made = newFilesystem(tape, type, mount, options);
  attach(tape, made, mount, options, context, "directory", resolveFor(type));
}

/** True if the container's /dev is a directory of the guest: it is then not ours to fill. */
export function bindsDev(mounts: readonly Mount[]): boolean {
  return mounts.some(
    (mount) =>
      components(mount.destination).join("/") === "dev" &&
      isBind(mount, parseMountOptions(mount.options ?? [])),
  );
}

function isBind(mount: Mount, options: MountOptions): boolean {
  return mount.type === "bind" || (options.flags & MS.BIND) !== 0;
}

function bind(tape: Tape, mount: Mount, options: MountOptions, context: MountContext): void {
  const named = mount.source ?? "";
  const source = isAbsolute(named) ? named : `${context.bundle}/${named}`;
  const recursive = (options.flags & MS.REC) !== 0;
  const tree = tape.fd(`clone ${source}`, cloneMount(AT_FDCWD, source, recursive));
  const attributes = attributesOf(options);
  if (attributes.set !== 0 || attributes.clear !== 0) {
    tape.do(`set the flags of ${mount.destination}`, mount_setattr(tree, attributes));
  }
  attach(tape, tree, mount, options, context, { like: tree });
}

/** Only flags of the mount that is there already. */
function remount(tape: Tape, mount: Mount, options: MountOptions, { root }: MountContext): void {
  const target = tape.fd(`open ${mount.destination}`, openInRoot(root, mount.destination, O.PATH));
  tape.do(`remount ${mount.destination}`, mount_setattr(target, attributesOf(options)));
  tape.do(`close ${mount.destination}`, close(target));
}

/** A link at /proc or /sys would put the real one elsewhere and let the image play it. */
function resolveFor(type: string): number {
  return type === "proc" || type === "sysfs" ? RESOLVE.NO_SYMLINKS : 0;
}
