// Attach a mount that has been made to the place the spec names.
import type { Reg } from "../linux/call.ts";
import { close } from "../linux/io.ts";
import { attachMount, mount_setattr } from "../linux/mount.ts";
import { MS } from "../linux/mount-flags.ts";
import type { MountOptions } from "../oci/mount-options.ts";
import type { Mount } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";
import type { BindContext } from "./bind-mount.ts";
import type { CgroupView } from "./cgroup-view.ts";
import type { CoverContext } from "./tmpfs.ts";
import { type TargetKind, openTarget } from "./mount-target.ts";

export type MountContext = BindContext &
  CoverContext & {
    readonly cgroup: CgroupView;
    /** linux.mountLabel, where the guest's kernel has SELinux. */
    readonly label: string | undefined;
    /** Made already, with all but their place. */
    readonly prepared: ReadonlyMap<Mount, Reg>;
  };

/** Attach a detached mount, which stays open, at the destination, and settle it. */
export function attach(
  tape: Tape,
  made: Reg,
  { destination }: Mount,
  options: MountOptions,
  { root }: MountContext,
  kind: TargetKind,
  resolve = 0,
): void {
  const target = openTarget(tape, root, destination, kind, resolve);
  tape.do(`mount ${destination}`, attachMount(made, target));
  tape.do(`close the place of ${destination}`, close(target));
  settle(tape, made, destination, options);
}

/**
 * Propagation and recursive attributes: they are about what others mount below, so they come when
 * the mount is attached.
 */
export function settle(
  tape: Tape,
  mount: Reg,
  destination: string,
  options: Pick<MountOptions, "propagation" | "recursive">,
): void {
  for (const flags of options.propagation) {
    const propagation = flags & ~MS.REC;
    tape.do(
      `set the propagation of ${destination}`,
      mount_setattr(mount, { propagation }, (flags & MS.REC) !== 0),
    );
  }
  if (options.recursive.set !== 0 || options.recursive.clear !== 0) {
    tape.do(`set the flags below ${destination}`, mount_setattr(mount, options.recursive, true));
  }
}
