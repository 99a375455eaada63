// The processors and memory nodes of v1 cgroups. A cpuset is within its parent's: what a parent lacks
// its children cannot be given (Documentation/admin-guide/cgroup-v1/cpusets.rst).
import { writeTextAsync } from "../kernel/file-async.ts";
import { readText, writeText } from "../kernel/file.ts";
import { numbersOf } from "../linux/number-list.ts";
import type { LimitWrite } from "./limit-write.ts";
import type { CgroupPath } from "./path.ts";

/** A new cpuset is empty, and no process can enter it like that. */
export function inheritCpuset(parent: string, child: string, isNew: boolean): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (!isNew && readText(`${child}/${file}`).trim() !== "") continue;
    writeText(`${child}/${file}`, readText(`${parent}/${file}`).trim());
  }
}

/**
 * Give the cgroups between `root` and the container all that `root` has, if they lack what is asked
 * for: processors may have come since they were made.
 */
export function widenParents(root: string, path: CgroupPath, { file, value }: LimitWrite): void {
  const wanted = numbersOf(value);
  const all = readText(`${root}/${file}`).trim();
  let parent = root;
  for (const name of path.slice(0, -1)) {
    parent = `${parent}/${name}`;
    if (wanted.isSubsetOf(numbersOf(readText(`${parent}/${file}`)))) continue;
    writeText(`${parent}/${file}`, all);
  }
}

/** Give the container's cgroup, and those above it, all processors that `root` has by now. */
export async function spreadProcessors(root: string, path: CgroupPath): Promise<void> {
  const all = readText(`${root}/cpuset.cpus`).trim();
  let cgroup = root;
  for (const name of path) {
    cgroup = `${cgroup}/${name}`;
    if (readText(`${cgroup}/cpuset.cpus`).trim() !== all)
      await writeTextAsync(`${cgroup}/cpuset.cpus`, all);
  }
}
