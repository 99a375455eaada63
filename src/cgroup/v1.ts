// A container's cgroup on v1: a directory in every hierarchy.
import { readText } from "../kernel/file.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import type { Resources } from "../oci/resources.ts";
import type { CgroupView } from "../program/cgroup-view.ts";
import { applyWrites, filesOf, pageSizes } from "./apply.ts";
import { inheritCpuset, spreadProcessors, widenParents } from "./cpuset.ts";
import { deviceWrites } from "./device-list.ts";
import { type DevicePolicy, devicePolicy } from "./device-policy.ts";
import { V1_FREEZER, freeze, thaw } from "./freezer.ts";
import { type Hierarchy, directoryIn, hierarchiesOf, unifiedOf, viewOf } from "./hierarchies.ts";
import { killAll } from "./kill.ts";
import { type OomWatch, watchOomV1 } from "./oom.ts";
import type { CgroupPath } from "./path.ts";
import { clearPlaces, makeCgroup, removeMadeAbove } from "./place.ts";
import { resourceWritesV1 } from "./resources-v1.ts";
import { readStatFiles } from "./stat-files.ts";
import type { Stats } from "./stats.ts";
import { statFilesV1, statsV1 } from "./stats-v1.ts";
import { removeAll } from "./tree.ts";

/** Throws an Error or a KernelError; then nothing is left of what was made. */
export function createV1(path: CgroupPath): CgroupV1 {
  const { hierarchies } = mountedHierarchies();
  clearPlaces(hierarchies.map((hierarchy) => directoryIn(hierarchy, path)));
  return inEach(hierarchies, path);
}

/**
 * The cgroup that systemd has made for a container, in the few hierarchies that it knows. In a hybrid
 * layout it looks for the processes of a scope in the unified hierarchy, and ends one that has none.
 */
export function adoptV1(path: CgroupPath): CgroupV1 {
  const { hierarchies, unified } = mountedHierarchies();
  const beside = unified === undefined ? [] : [`${unified}/${path.join("/")}/cgroup.procs`];
  return inEach(hierarchies, path, beside);
}

type Hierarchies = readonly [Hierarchy, ...Hierarchy[]];

type Mounted = { readonly hierarchies: Hierarchies; readonly unified: string | undefined };

let mounted: Mounted | undefined;

/** They are mounted before the agent serves, and nobody mounts them after. */
function mountedHierarchies(): Mounted {
  if (mounted !== undefined) return mounted;
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  const [first, ...rest] = hierarchiesOf(mounts);
  if (first === undefined) throw new Error("no cgroup controller is mounted below /sys/fs/cgroup");
  mounted = { hierarchies: [first, ...rest], unified: unifiedOf(mounts) };
  return mounted;
}

function inEach(
  hierarchies: Hierarchies,
  path: CgroupPath,
  beside: readonly string[] = [],
): CgroupV1 {
  using undo = new DisposableStack();
  for (const { mountPoint, controllers } of hierarchies) {
    makeCgroup(mountPoint, path, undo, controllers.includes("cpuset") ? inheritCpuset : () => {});
  }
  undo.move();
  return new CgroupV1(hierarchies, path, beside);
}

export class CgroupV1 {
  readonly entry: { readonly kind: "write"; readonly files: readonly string[] };
  readonly view: CgroupView;
  readonly #directories: readonly string[];
  readonly #freezer: string | undefined;
  readonly #hierarchies: readonly Hierarchy[];
  readonly #path: CgroupPath;
  /** The one hierarchy in which processes are looked for: they are in all. */
  readonly #processes: string;
  /** undefined: not set yet, or a change of it failed half-way. */
  #devices: DevicePolicy | undefined;
  /** Somebody has asked for processors of their own. */
  #hasProcessors = false;

  /** `beside`: what a process writes itself to beside the `tasks` of each hierarchy. */
  constructor(hierarchies: Hierarchies, path: CgroupPath, beside: readonly string[] = []) {
    this.#hierarchies = hierarchies;
    this.#path = path;
    this.#directories = hierarchies.map((hierarchy) => directoryIn(hierarchy, path));
    this.#freezer = this.#directoryOf("freezer");
    this.#processes =
      this.#freezer ?? this.#directoryOf("memory") ?? directoryIn(hierarchies[0], path);
    // A process that writes 0 to `tasks` moves itself, its one thread. Through `cgroup.procs` the
    // kernel first waits for every fork on the machine: 1 ms and more for each hierarchy.
    const tasks = this.#directories.map((each) => `${each}/tasks`);
    this.entry = { kind: "write", files: [...tasks, ...beside] };
    this.view = viewOf(hierarchies, path);
  }

  async entered(): Promise<void> {}

  async apply(resources: Resources): Promise<void> {
    const directoryOf = (controller: string) => this.#directoryOf(controller);
    const writes = resourceWritesV1(resources, filesOf(directoryOf));
    const policy = devicePolicy(resources.devices ?? [], this.#devices);
    const cpuset = this.#hierarchyOf("cpuset")?.mountPoint;
    const inCpuset = writes.filter(({ file }) => file.startsWith("cpuset."));
    if (cpuset !== undefined) for (const each of inCpuset) widenParents(cpuset, this.#path, each);
    if (inCpuset.some(({ file }) => file === "cpuset.cpus")) this.#hasProcessors = true;
    await applyWrites(writes, directoryOf);
    await this.#limitDevices(policy);
  }

  async addProcessors(): Promise<void> {
    const cpuset = this.#hierarchyOf("cpuset")?.mountPoint;
    if (cpuset === undefined || this.#hasProcessors) return;
    await spreadProcessors(cpuset, this.#path);
  }

  /** Also without rules: a new cgroup may use all that its parent may. */
  async #limitDevices(policy: DevicePolicy): Promise<void> {
    const writes = deviceWrites(this.#devices, policy);
    this.#devices = undefined;
    await applyWrites(writes, (name) => this.#directoryOf(name));
    this.#devices = policy;
  }

  async stats(): Promise<Stats> {
    const sizes = pageSizes();
    const files = await readStatFiles(statFilesV1(sizes), (name) => this.#directoryOf(name));
    const controllers = this.#hierarchies.flatMap((each) => each.controllers);
    return statsV1(files, controllers, sizes);
  }

  /** No cgroup of v1 is closed to processes because of what is nested in it. */
  nestedOf(): undefined {
    return undefined;
  }

  watchOom(onKill: () => void): OomWatch | undefined {
    const memory = this.#directoryOf("memory");
    return memory === undefined ? undefined : watchOomV1(memory, onKill);
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

  #hierarchyOf(controller: string): Hierarchy | undefined {
    return this.#hierarchies.find(({ controllers }) =>
      controllers.some((name) => name === controller),
    );
  }

  #directoryOf(controller: string): string | undefined {
    const hierarchy = this.#hierarchyOf(controller);
    return hierarchy && directoryIn(hierarchy, this.#path);
  }

  #needFreezer(): string {
    if (this.#freezer === undefined)
      throw new Error("the cgroup controller freezer is not mounted");
    return this.#freezer;
  }
}
