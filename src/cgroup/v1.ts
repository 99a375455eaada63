// A container's cgroup on v1: a directory in every hierarchy.
import { readText, writeText } from "../kernel/file.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import type { CgroupView } from "../program/cgroup-view.ts";
import { V1_FREEZER, freeze, thaw } from "./freezer.ts";
import {
  type Controller,
  type Hierarchy,
  directoryIn,
  hierarchiesOf,
  viewOf,
} from "./hierarchies.ts";
import { killAll } from "./kill.ts";
import type { CgroupPath } from "./path.ts";
import { makeCgroup, refuseInUse, removeMadeAbove } from "./place.ts";
import { removeAll } from "./tree.ts";

/** Throws an Error or a KernelError; then nothing is left of what was made. */
export function createV1(path: CgroupPath): CgroupV1 {
  const [first, ...rest] = hierarchiesOf(parseMountinfo(readText("/proc/self/mountinfo")));
  if (first === undefined) throw new Error("no cgroup controller is mounted below /sys/fs/cgroup");
  const hierarchies = [first, ...rest] as const;
  for (const hierarchy of hierarchies) refuseInUse(directoryIn(hierarchy, path));
  using undo = new DisposableStack();
  for (const { mountPoint, controllers } of hierarchies) {
    makeCgroup(mountPoint, path, undo, controllers.includes("cpuset") ? inheritCpuset : () => {});
  }
  undo.move();
  return new CgroupV1(hierarchies, path);
}

/** A new cpuset is empty, and no process can enter it like that. */
function inheritCpuset(parent: string, child: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readText(`${child}/${file}`).trim() !== "") continue;
    writeText(`${child}/${file}`, readText(`${parent}/${file}`).trim());
  }
}

export class CgroupV1 {
  readonly entry: { readonly kind: "write"; readonly files: readonly string[] };
  readonly view: CgroupView;
  readonly #directories: readonly string[];
  readonly #freezer: string | undefined;
  /** The one hierarchy in which processes are looked for: they are in all. */
  readonly #processes: string;

  constructor(hierarchies: readonly [Hierarchy, ...Hierarchy[]], path: CgroupPath) {
    const directoryOf = (controller: Controller) => {
      const hierarchy = hierarchies.find(({ controllers }) => controllers.includes(controller));
      return hierarchy && directoryIn(hierarchy, path);
    };
    this.#directories = hierarchies.map((hierarchy) => directoryIn(hierarchy, path));
    this.#freezer = directoryOf("freezer");
    this.#processes = this.#freezer ?? directoryOf("memory") ?? directoryIn(hierarchies[0], path);
    // A process that writes 0 to `tasks` moves itself, its one thread. Through `cgroup.procs` the
    // kernel first waits for every fork on the machine: 1 ms and more for each hierarchy.
    this.entry = { kind: "write", files: this.#directories.map((each) => `${each}/tasks`) };
    this.view = viewOf(hierarchies, path);
  }

  async freeze(): Promise<void> {
    await freeze(this.#needFreezer(), V1_FREEZER);
  }

  async thaw(): Promise<void> {
    thaw(this.#needFreezer(), V1_FREEZER);
  }

  async kill(): Promise<void> {
    await killAll(this.#processes, this.#freezer === undefined ? undefined : V1_FREEZER);
  }

  async destroy(): Promise<void> {
    await removeAll(this.#directories);
    for (const directory of this.#directories) removeMadeAbove(directory);
  }

  #needFreezer(): string {
    if (this.#freezer === undefined)
      throw new Error("the cgroup controller freezer is not mounted");
    return this.#freezer;
  }
}
