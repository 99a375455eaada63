// Which version of cgroups a guest has whose PID 1 the agent is, and what is mounted for it:
// process.md section 2.4.
import { MS } from "../linux/mount-flags.ts";
import type { GuestMount } from "./base-mounts.ts";

export const CGROUPFS = "/sys/fs/cgroup";

/** What the kernel's command line says. */
export type CgroupChoice = {
  /** `systemd.unified_cgroup_hierarchy`, on where it is not there. */
  readonly unified: boolean;
  /** `cgroup_no_v1=all`, which the kernel obeys as well. */
  readonly noV1: boolean;
};

/** Those of Kata's own agent: a kernel has more, which no runtime asks for. */
const KNOWN =
  /^(cpu|cpuacct|cpuset|blkio|memory|devices|freezer|net_cls|net_prio|perf_event|hugetlb|pids|rdma)$/;

const { NOSUID, NODEV, NOEXEC, RELATIME, REMOUNT, RDONLY } = MS;
const FLAGS = NOSUID | NODEV | NOEXEC;

/** The controllers that v1 hierarchies can have, from the text of /proc/cgroups: cgroups(7). */
export function v1Controllers(cgroups: string): readonly string[] {
  return cgroups.split("\n").flatMap((line) => {
    const [name = "", ...numbers] = line.split("\t");
    const isUsable = numbers.length >= 3 && numbers.slice(0, 3).every((word) => /^\d+$/.test(word));
    return isUsable && numbers[2] !== "0" && KNOWN.test(name) ? [name] : [];
  });
}

/**
 * v2, unless v1 is asked for and there: a container without the devices controller would have every
 * device of the guest, so v1 without it counts as absent.
 */
export function cgroupMounts(
  { unified, noV1 }: CgroupChoice,
  controllers: readonly string[],
): readonly GuestMount[] {
  return unified || noV1 || !controllers.includes("devices") ? v2Mounts() : v1Mounts(controllers);
}

function v2Mounts(): readonly GuestMount[] {
  const flags = FLAGS | RELATIME;
  return [{ fstype: "cgroup2", source: "cgroup2", target: CGROUPFS, flags, data: "nsdelegate" }];
}

/** One hierarchy a controller, in a directory that nobody adds to afterwards. */
function v1Mounts(controllers: readonly string[]): readonly GuestMount[] {
  const top = { fstype: "tmpfs", source: "tmpfs", target: CGROUPFS, data: "mode=755" };
  return [
    { ...top, flags: FLAGS },
    ...controllers.map((name) => ({
      fstype: "cgroup",
      source: "cgroup",
      target: `${CGROUPFS}/${name}`,
      flags: FLAGS | RELATIME,
      data: name,
    })),
    { ...top, flags: FLAGS | REMOUNT | RDONLY },
  ];
}
