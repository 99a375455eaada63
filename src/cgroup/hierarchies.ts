// The hierarchies of cgroup v1: one mount for each controller, or for a few together.
import type { MountinfoEntry } from "../linux/mountinfo.ts";
import type { CgroupView } from "../program/cgroup-view.ts";
import type { CgroupPath } from "./path.ts";

/** In this order they are entered: blkio before memory, as the kernel ties write-back to both. */
const CONTROLLERS = [
  "blkio",
  "memory",
  "pids",
  "cpuset",
  "cpuacct",
  "cpu",
  "devices",
  "freezer",
  "net_cls",
  "perf_event",
  "net_prio",
  "hugetlb",
  "rdma",
  "name=systemd",
] as const;

export type Controller = (typeof CONTROLLERS)[number];

const CGROUPFS = "/sys/fs/cgroup";

export type Hierarchy = {
  readonly mountPoint: string;
  readonly controllers: readonly Controller[];
};

/**
 * The hierarchies below /sys/fs/cgroup, in the order above, each once. What of a hierarchy is mounted
 * there counts as all of it: inside a container, an agent's root is its own cgroup.
 */
export function hierarchiesOf(mounts: readonly MountinfoEntry[]): Hierarchy[] {
  const found = mounts
    .filter(({ fstype, mountPoint }) => fstype === "cgroup" && directoryName(mountPoint) !== "")
    .map(({ mountPoint, superOptions }) => ({
      mountPoint,
      controllers: CONTROLLERS.filter((name) => superOptions.includes(name)),
    }));
  const ordered = CONTROLLERS.flatMap(
    (name) => found.find(({ controllers }) => controllers.includes(name)) ?? [],
  );
  return [...new Set(ordered)];
}

/** Where the hierarchy of v2 is mounted beside those of v1, which have the controllers. */
export function unifiedOf(mounts: readonly MountinfoEntry[]): string | undefined {
  const isBeside = ({ fstype, mountPoint }: MountinfoEntry) =>
    fstype === "cgroup2" && directoryName(mountPoint) !== "";
  return mounts.find(isBeside)?.mountPoint;
}

/** Where the cgroup `path` is in `hierarchy`. */
export function directoryIn({ mountPoint }: Hierarchy, path: CgroupPath): string {
  return `${mountPoint}/${path.join("/")}`;
}

export function viewOf(hierarchies: readonly Hierarchy[], path: CgroupPath): CgroupView {
  return {
    version: 1,
    hierarchies: hierarchies.map((hierarchy) => {
      const name = directoryName(hierarchy.mountPoint);
      const links = hierarchy.controllers.filter((controller) => controller !== name);
      return {
        name,
        links: links.filter((controller) => controller !== "name=systemd"),
        directory: directoryIn(hierarchy, path),
      };
    }),
  };
}

/** The name of a mount point right below /sys/fs/cgroup; empty for any other place. */
function directoryName(mountPoint: string): string {
  const name = mountPoint.startsWith(`${CGROUPFS}/`) ? mountPoint.slice(CGROUPFS.length + 1) : "";
  return name.includes("/") ? "" : name;
}
