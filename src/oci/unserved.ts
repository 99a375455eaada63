// What a spec can ask for and this agent does not do yet. It is refused by name: a container that
// starts without what protects it is worse than one that does not start.
import { parseMountOptions } from "./mount-options.ts";
import type { ContainerSpec } from "./valid-spec.ts";

/** The first thing asked for and not served. */
export function unservedIn({ mounts = [] }: ContainerSpec): string | undefined {
  const mount = mounts.find(({ options }) => {
    return parseMountOptions(options ?? []).copySymlink;
  });
  return mount && `an option of the mount ${mount.destination}`;
}
