// Make the directory of a container's cgroup in one hierarchy.
import { internal } from "../error.ts";
import { makeDirectory } from "../kernel/file.ts";
import { exists, rmdir } from "../linux/fs.ts";
import { attempt } from "../kernel/perform.ts";
import type { CgroupPath } from "./path.ts";
import { cgroupsIn, pidsIn, removeEmpty } from "./tree.ts";

/**
 * Remove what an earlier container has left in the places of a new one: limits and a frozen state would
 * outlive it. Throws an AgentError, and then nothing is removed, if a process is in any of `cgroups` or
 * in what is nested in them: the path belongs to a container that lives, or is above one, or above the
 * agent itself.
 */
export function clearPlaces(cgroups: readonly string[]): void {
  const left = cgroups.filter((cgroup) => attempt(exists(cgroup)) >= 0);
  for (const cgroup of left) refuseInUse(cgroup);
  for (const cgroup of left) removeEmpty(cgroup);
}

function refuseInUse(cgroup: string): void {
  for (const each of cgroupsIn(cgroup)) {
    const [pid] = pidsIn(each);
    if (pid !== undefined) throw internal(`cgroup ${each} is in use by process ${pid}`);
  }
}

/**
 * Make what is lacking of the cgroup `path` below `root`, leave what is there as it is, and give its
 * directory. `prepare` is called for every level, with whether it has just been made. `undo` takes back
 * what was made, and nothing else.
 */
export function makeCgroup(
  root: string,
  path: CgroupPath,
  undo: DisposableStack,
  prepare: (parent: string, child: string, isNew: boolean) => void,
): string {
  const own = `${root}/${path.join("/")}`;
  let parent = root;
  for (const name of path) {
    const child = `${parent}/${name}`;
    // If that fails, somebody has put a cgroup or a process there, and it is theirs.
    const isNew = makeDirectory(child);
    if (isNew) {
      if (child !== own) madeAbove.add(child);
      undo.defer(() => void removeMade(child));
    }
    prepare(parent, child, isNew);
    parent = child;
  }
  return own;
}

/** What was made above containers' own cgroups: it goes with the last container below it. */
const madeAbove = new Set<string>();

/** Remove the cgroups above `cgroup` that were made here and hold nothing any more. */
export function removeMadeAbove(cgroup: string): void {
  const parent = cgroup.slice(0, cgroup.lastIndexOf("/"));
  if (madeAbove.has(parent) && removeMade(parent)) removeMadeAbove(parent);
}

/** false: somebody is in it. */
function removeMade(cgroup: string): boolean {
  if (attempt(rmdir(cgroup)) < 0) return false;
  madeAbove.delete(cgroup);
  return true;
}
