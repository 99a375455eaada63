// A mount of type `cgroup`: the container's own part of the hierarchy, whatever its version.
import { AT_FDCWD } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { mkdirat, openat, symlinkat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { attachMount, cloneMount, mount_setattr } from "../linux/mount.ts";
import { MOUNT_ATTR, MS } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import type { MountOptions } from "../oci/mount-options.ts";
import type { Mount } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";
import { type MountContext, attach, settle } from "./attach-mount.ts";
import type { CgroupView } from "./cgroup-view.ts";
import { attributesOf, labelled, newFilesystem } from "./filesystem.ts";

export function mountCgroup(
  tape: Tape,
  mount: Mount,
  options: MountOptions,
  context: MountContext,
): void {
  const { cgroup } = context;
  if (cgroup.version === 1) return mountHierarchies(tape, mount, options, context, cgroup);
  // The container's cgroup namespace makes its own cgroup the root of what it sees.
  const made = newFilesystem(tape, "cgroup2", { destination: mount.destination }, options);
  attach(tape, made, mount, options, context, "directory");
  tape.do(`close the mount of ${mount.destination}`, close(made));
}

type V1 = Extract<CgroupView, { version: 1 }>;

/** v1 has a tree for each controller: a tmpfs holds one directory for each, as on the guest. */
function mountHierarchies(
  tape: Tape,
  mount: Mount,
  options: MountOptions,
  context: MountContext,
  { hierarchies }: V1,
): void {
  const at = mount.destination;
  const empty = {
    ...options,
    flags: options.flags & ~MS.RDONLY,
    propagation: [],
    recursive: { set: 0, clear: 0 },
    data: ["mode=755"],
  };
  const labels = labelled("tmpfs", empty, context.label);
  const directory = newFilesystem(tape, "tmpfs", { destination: at }, labels);
  attach(tape, directory, mount, empty, context, "directory");
  for (const { name, links, directory: source } of hierarchies) {
    tape.do(`create ${at}/${name}`, mkdirat(directory, name, 0o755));
    bindHierarchy(tape, directory, `${at}/${name}`, name, source, options);
    for (const link of links) tape.do(`link ${at}/${link}`, symlinkat(name, directory, link));
  }
  if ((options.flags & MS.RDONLY) !== 0) {
    tape.do(`make ${at} read-only`, mount_setattr(directory, { set: MOUNT_ATTR.RDONLY }));
  }
  settle(tape, directory, at, options);
  tape.do(`close the mount of ${at}`, close(directory));
}

function bindHierarchy(
  tape: Tape,
  parent: Reg,
  at: string,
  name: string,
  source: string,
  options: MountOptions,
): void {
  const tree = tape.fd(`clone ${source}`, cloneMount(AT_FDCWD, source, true));
  tape.do(`set the flags of ${at}`, mount_setattr(tree, attributesOf(options)));
  const target = tape.fd(`open ${at}`, openat(parent, name, O.PATH | O.DIRECTORY | O.NOFOLLOW));
  tape.do(`mount ${at}`, attachMount(tree, target));
  tape.do(`close the place of ${at}`, close(target));
  tape.do(`close the mount of ${at}`, close(tree));
}
