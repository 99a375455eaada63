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
};

export async function stateOf(vm: TestVm): Promise<GuestState> {
  return {
    mounts: await mountsOf(vm),
    cgroups: lines(await vm.sh("find /sys/fs/cgroup -type d")),
    bundles: lines(await vm.sh("mkdir -p /run/kata-containers; ls /run/kata-containers")),
    children: await childrenOf(vm),
  };
}

export async function mountsOf(vm: TestVm): Promise<string[]> {
  return lines(await vm.sh("cat /proc/mounts")).map((line) => {
    const [, at, fstype, options] = line.split(" ");
    return `${fstype} ${at} ${options}`;
  });
}

async function childrenOf(vm: TestVm): Promise<string[]> {
  // One may have ended between the listing and the look at it.
  const stats = await vm.sh("cat /proc/[0-9]*/stat || true");
  return [...stats.matchAll(/^\d+ \((.*)\) (\S) 1 /gm)].map(
    ([, name, state]) => `${state} ${name}`,
  );
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
