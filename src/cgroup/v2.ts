// A container's cgroup on v2: one directory.
import { readText, writeText } from "../kernel/file.ts";
import { Fd } from "../kernel/fd.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import type { Resources } from "../oci/resources.ts";
import type { CgroupView } from "../program/cgroup-view.ts";
import { applyWrites, filesOf, pageSizes } from "./apply.ts";
import { DeviceFilter } from "./device-filter.ts";
import { type DevicePolicy, devicePolicy } from "./device-policy.ts";
import { V2_FREEZER, freeze, thaw } from "./freezer.ts";
import { killAll } from "./kill.ts";
import { type OomWatch, watchOomV2 } from "./oom.ts";
import type { CgroupPath } from "./path.ts";
import { clearPlaces, makeCgroup, removeMadeAbove } from "./place.ts";
import { resourceWritesV2 } from "./resources-v2.ts";
import { readStatFiles } from "./stat-files.ts";
import type { Stats } from "./stats.ts";
import { statFilesV2, statsV2 } from "./stats-v2.ts";
import { removeAll, tolerate } from "./tree.ts";

/** Throws an Error or a KernelError; then nothing is left of what was made. */
export function createV2(path: CgroupPath, root = "/sys/fs/cgroup"): CgroupV2 {
  clearPlaces([`${root}/${path.join("/")}`]);
  return adoptV2(path, root);
}

/** The cgroup that systemd has made for a container. */
export function adoptV2(path: CgroupPath, root = "/sys/fs/cgroup"): CgroupV2 {
  using undo = new DisposableStack();
  const directory = makeCgroup(root, path, undo, enableControllers);
  const call = openat(AT_FDCWD, directory, O.RDONLY | O.DIRECTORY);
  const cgroup = new CgroupV2(root, directory, Fd.of(`open ${directory}`, call));
  undo.move();
  return cgroup;
}

/** A cgroup has the files of a controller if its parent passes the controller on. */
function enableControllers(parent: string): void {
  const file = `${parent}/cgroup.subtree_control`;
  const commands = controllersToEnable(readText(`${parent}/cgroup.controllers`), readText(file));
  if (commands.length === 0) return;
  if (tryWrite(file, commands.join(" "))) return;
  // The kernel takes all or none. One that cannot be passed on here, as when processes are in the
  // parent, matters only to a limit that needs it: the file of the limit is then missing.
  for (const command of commands) tryWrite(file, command);
}

/** What to write to `cgroup.subtree_control`: `+` and the name of each controller not yet in it. */
export function controllersToEnable(available: string, enabled: string): string[] {
  const already = new Set(words(enabled));
  return words(available)
    .filter((name) => !already.has(name))
    .map((name) => `+${name}`);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** false: the kernel refused. */
function tryWrite(file: string, text: string): boolean {
  try {
    writeText(file, text);
    return true;
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

export class CgroupV2 {
  readonly entry: { readonly kind: "clone"; readonly directory: Fd };
  readonly view: CgroupView = { version: 2 };
  readonly #root: string;
  readonly #directory: string;
  readonly #filter: DeviceFilter;
  #devices: DevicePolicy | undefined;

  constructor(root: string, directory: string, open: Fd) {
    this.#root = root;
    this.#directory = directory;
    this.#filter = new DeviceFilter(open);
    this.entry = { kind: "clone", directory: open };
  }

  async entered(): Promise<void> {}

  async apply(resources: Resources): Promise<void> {
    const directoryOf = () => this.#directory;
    const writes = resourceWritesV2(resources, filesOf(directoryOf));
    const { devices = [] } = resources;
    const policy = devicePolicy(devices, this.#devices);
    await applyWrites(writes, directoryOf);
    // Also without rules, the first time: a new cgroup may use whatever there is.
    if (this.#devices === undefined || devices.length > 0) this.#filter.enforce(policy);
    this.#devices = policy;
  }

  /** The kernel gives them to whoever has asked for none (cgroup-v2.rst, cpuset.cpus). */
  async addProcessors(): Promise<void> {}

  async stats(): Promise<Stats> {
    const sizes = pageSizes();
    return statsV2(await readStatFiles(statFilesV2(sizes), () => this.#directory), sizes);
  }

  nestedOf(pid: number): Fd | undefined {
    const [, path = ""] = /^0::(\/.*)$/m.exec(readText(`/proc/${pid}/cgroup`)) ?? [];
    const nested = `${this.#root}${path}`;
    // The names are the container's, but there is no way up: the kernel gives the path as it is.
    if (!nested.startsWith(`${this.#directory}/`)) return undefined;
    return Fd.of(`open ${nested}`, openat(AT_FDCWD, nested, O.RDONLY | O.DIRECTORY));
  }

  watchOom(onKill: () => void): OomWatch | undefined {
    return watchOomV2(this.#directory, onKill);
  }

  async freeze(): Promise<void> {
    await freeze(this.#directory, V2_FREEZER);
  }

  async thaw(): Promise<void> {
    thaw(this.#directory, V2_FREEZER);
  }

  async kill(): Promise<void> {
    const killed = tolerate(["ENOENT", "ENODEV"], () => {
      writeText(`${this.#directory}/cgroup.kill`, "1");
      return true;
    });
    if (!killed) await killAll(this.#directory, V2_FREEZER);
  }

  async destroy(): Promise<void> {
    this.#filter[Symbol.dispose]();
    this.entry.directory.close();
    await removeAll([this.#directory]);
    removeMadeAbove(this.#directory);
  }
}
