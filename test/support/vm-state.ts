// What a guest holds, as seen from outside of its agent: two looks that are equal mean that nothing was
// left in between.
import type { TestVm } from "./vm.ts";

export type GuestState = {
  /** `tmpfs /run rw,nosuid,nodev` */
  readonly mounts: readonly string[];
  /** Directories, in every hierarchy. */
  readonly cgroups: readonly string[];
  /** What is in /run/kata-containers. */
  readonly bundles: readonly string[];
  /** Children of the agent, the orphans that it has adopted as well: `Z sh` for a zombie. */
  readonly children: readonly string[];
  /** Names of dm devices, and the files of loop devices. */
  readonly mapped: readonly string[];
};

/** `pid`: the agent's. */
export async function stateOf(vm: TestVm, pid = 1): Promise<GuestState> {
  const mapped = "/sys/block/dm-*/dm/name /sys/block/loop*/loop/backing_file";
  return {
    mounts: await mountsOf(vm),
    mapped: lines(await vm.sh(`for file in ${mapped}; do test ! -e $file || cat $file; done`)),
    cgroups: lines(await vm.sh("find /sys/fs/cgroup -type d")),
    bundles: lines(await vm.sh("mkdir -p /run/kata-containers; ls /run/kata-containers")),
    children: await childrenOf(vm, pid),
  };
}

export async function mountsOf(vm: TestVm): Promise<string[]> {
  return lines(await vm.sh("cat /proc/mounts")).map((line) => {
    const [, at, fstype, options] = line.split(" ");
    return `${fstype} ${at} ${options}`;
  });
}

async function childrenOf(vm: TestVm, pid: number): Promise<string[]> {
  // One may have ended between the listing and the look at it.
  const stats = await vm.sh("cat /proc/[0-9]*/stat || true");
  return [...stats.matchAll(/^\d+ \((.*)\) (\S) (\d+) /gm)]
    .filter(([, , , parent]) => Number(parent) === pid)
    .map(([, name, state]) => `${state} ${name}`)
    .toSorted();
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
