// What a spec asks for and this guest's kernel does not have: refused by name, before anything is done.
import { attempt } from "../kernel/perform.ts";
import { errnoNumber } from "../linux/errno.ts";
import { exists } from "../linux/fs.ts";
import { set_mempolicy } from "../linux/scheduling.ts";
import { MPOL } from "../linux/scheduling-flags.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Linux } from "../oci/spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { kindOf } from "../program/mount-kind.ts";
import type { Warn } from "./guest.ts";
import { NAMESPACE_FILE } from "./pinned-namespaces.ts";

/** Throws InvalidSpec. */
export function refuseUnsupported({ namespaces = [], memoryPolicy }: Linux): void {
  for (const [index, { type }] of namespaces.entries()) {
    if (isKnown(type)) continue;
    // The words for the first are upstream's.
    throw new InvalidSpec(
      type === "user"
        ? "user namespace: user namespace not supported!"
        : `linux.namespaces[${index}]: the kernel has no ${type} namespaces`,
    );
  }
  // The default is what the agent has: to set it changes nothing.
  if (memoryPolicy !== undefined && isUnknown(attempt(set_mempolicy(MPOL.DEFAULT, NO_NODES))))
    throw new InvalidSpec("linux.memoryPolicy: the kernel has no policies for memory");
}

const known = new Set<NamespaceType>();

/** A kernel that knows a kind once knows it as long as it runs. */
function isKnown(type: NamespaceType): boolean {
  if (known.has(type)) return true;
  if (attempt(exists(`/proc/self/ns/${NAMESPACE_FILE[type]}`)) < 0) return false;
  known.add(type);
  return true;
}

const NO_NODES = new Uint8Array(0);

function isUnknown(result: number): boolean {
  return result === -errnoNumber("ENOSYS");
}

/**
 * Of personalities runc says the same: the spec knows of no flags, and yet has a place for them. Where
 * runc refuses options of a file system for a bind mount, the kernel takes no notice, and runtime-rs
 * hands those of a volume's disk on to the mount in the container (build_bind_mount_options).
 */
export function warnOfIgnored({ linux, mounts = [] }: ContainerSpec, warn: Warn): void {
  const { flags = [] } = linux.personality ?? {};
  if (flags.length > 0)
    warn("linux.personality.flags are not applied", { flags: shortened(flags) });
  for (const mount of mounts) {
    const options = parseMountOptions(mount.options ?? []);
    if (kindOf(mount, options) !== "bind" || options.data.length === 0) continue;
    const { destination } = mount;
    warn("a bind mount has no file system's options", {
      destination,
      options: shortened(options.data),
    });
  }
}

function shortened(words: readonly string[]): string {
  return words.join(" ").slice(0, 200);
}
