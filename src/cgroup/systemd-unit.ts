// Where systemd keeps a container: a scope, below a slice (systemd.scope(5), systemd.slice(5)).
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import type { CgroupPath } from "./path.ts";

export type SystemdUnit = {
  /** `cri-containerd-c1.scope` */
  readonly name: string;
  /** `kubepods-pod1.slice`, or `-.slice`, the root. */
  readonly slice: string;
  /** The unit's cgroup: `kubepods.slice/kubepods-pod1.slice/cri-containerd-c1.scope`. */
  readonly path: CgroupPath;
};

const DEFAULT_SLICE = "system.slice";
const ROOT_SLICE = "-.slice";

/** What of a name systemd takes as it is (systemd.unit(5)). */
const UNIT_NAME = /^[\w:.\\@-]+$/;
const LONGEST_UNIT_NAME = 255;

/**
 * `linux.cgroupsPath` as `slice:prefix:name`, or undefined if it is a path. `::` is the agent's own
 * choice: `system.slice:kata_agent:<container id>`. Throws InvalidSpec for three parts that name no unit.
 */
export function systemdUnit(cgroupsPath: string, containerId: string): SystemdUnit | undefined {
  const wanted = cgroupsPath === "::" ? `:kata_agent:${containerId}` : cgroupsPath;
  const [slicePart, prefix, name, ...rest] = wanted.split(":");
  if (slicePart === undefined || prefix === undefined || name === undefined) return undefined;
  const refuse = (reason: string) => new InvalidSpec(`cgroup path ${quote(wanted)} ${reason}`);
  if (rest.length > 0 || wanted.includes("/")) return undefined;
  if (name === "") throw refuse("has no name");
  // A slice holds units, and no processes.
  if (name.endsWith(".slice")) throw refuse("names a slice, and a container is none");
  const slice = slicePart === "" ? DEFAULT_SLICE : slicePart;
  const unit = `${prefix === "" ? name : `${prefix}-${name}`}.scope`;
  for (const each of [slice, unit]) {
    if (!UNIT_NAME.test(each) || each.length > LONGEST_UNIT_NAME)
      throw refuse(`has a part that is no name of a unit: ${quote(each)}`);
  }
  const slices = slicesDownTo(slice);
  if (slices === undefined) throw refuse(`has no valid slice: ${quote(slice)}`);
  const [first = unit, ...below] = [...slices, unit];
  return { name: unit, slice, path: [first, ...below] };
}

/** `a-b.slice` lies in `a.slice`: the name says where. */
function slicesDownTo(slice: string): string[] | undefined {
  if (slice === ROOT_SLICE) return [];
  if (!slice.endsWith(".slice")) return undefined;
  const parts = slice.slice(0, -".slice".length).split("-");
  if (parts.includes("")) return undefined;
  return parts.map((_, index) => `${parts.slice(0, index + 1).join("-")}.slice`);
}
