// Bind mounts: a clone of what is mounted in the guest, with flags and id maps of its own.
import { AT_FDCWD } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { cloneMount, mount_setattr } from "../linux/mount.ts";
import { MOUNT_ATTR, MS } from "../linux/mount-flags.ts";
import type { MountOptions } from "../oci/mount-options.ts";
import { isAbsolute } from "../oci/path-components.ts";
import type { Mount } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";
import { attributesOf } from "./filesystem.ts";

export type BindContext = {
  /** What a relative source starts from. */
  readonly bundle: string;
  /** The user namespaces whose maps mounts have, by their descriptors in the agent. */
  readonly idMapped: ReadonlyMap<Mount, number>;
};

/** Gives a register with the detached mount. */
export function cloneSource(
  tape: Tape,
  mount: Mount,
  options: MountOptions,
  { bundle, idMapped }: BindContext,
): Reg {
  const { destination, type = "none", source: named = type } = mount;
  const source = isAbsolute(named) ? named : `${bundle}/${named}`;
  const recursive = (options.flags & MS.REC) !== 0;
  const tree = tape.fd(`clone ${source}`, cloneMount(AT_FDCWD, source, recursive));
  const attributes = attributesOf(options);
  if (attributes.set !== 0 || attributes.clear !== 0) {
    tape.do(`set the flags of ${destination}`, mount_setattr(tree, attributes));
  }
  const userns = idMapped.get(mount);
  // A mount takes maps once, and before anybody has seen it. EINVAL: its file system takes none.
  if (userns !== undefined) {
    const map = mount_setattr(tree, { set: MOUNT_ATTR.IDMAP, userns }, options.idmap === "ridmap");
    tape.do(`mounts: map the ids of ${destination}`, map);
  }
  return tree;
}
