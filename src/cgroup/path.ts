// Where a container's cgroup is, below the root of every hierarchy.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { climbs, components } from "../oci/path-components.ts";

/** The names of the cgroups from below the root to the container's own: never empty. */
export type CgroupPath = readonly [string, ...string[]];

/** Kubernetes makes 5 levels; each costs a directory in up to 14 hierarchies. */
const MOST_LEVELS = 32;

/**
 * `linux.cgroupsPath` of a spec as a path. `slice:prefix:name`, which is meant for systemd, becomes
 * slice/prefix/name, and none becomes the container's id, as in Kata's agent (container.md 1.3).
 * Throws InvalidSpec for a path that is not below the root.
 */
export function cgroupPath(cgroupsPath: string | undefined, containerId: string): CgroupPath {
  const path = (cgroupsPath || containerId).replaceAll(":", "/");
  const refuse = (reason: string) => new InvalidSpec(`cgroup path ${quote(path)} ${reason}`);
  if (climbs(path)) throw refuse("contains '..'");
  // A NUL would end the path early; the kernel takes no newline in the name of a cgroup.
  if (path.includes("\0") || path.includes("\n")) throw refuse("contains a NUL or a newline");
  const [first, ...rest] = components(path);
  if (first === undefined) throw refuse("names the root");
  if (rest.length >= MOST_LEVELS) throw refuse(`has more than ${MOST_LEVELS} levels`);
  return [first, ...rest];
}
