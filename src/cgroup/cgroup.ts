// Where the processes of a container are kept together: to limit, measure, stop and kill all of them.
import type { CgroupEntry } from "../child/clone.ts";
import type { Fd } from "../kernel/fd.ts";
import { perform } from "../kernel/perform.ts";
import { MAGIC } from "../linux/constants.ts";
import { statfs } from "../linux/fs.ts";
import type { Resources } from "../oci/resources.ts";
import type { CgroupView } from "../program/cgroup-view.ts";
import { phase } from "../tracing/tracer.ts";
import type { OomWatch } from "./oom.ts";
import { cgroupPath } from "./path.ts";
import type { Stats } from "./stats.ts";
import { createSystemd } from "./systemd.ts";
import { systemdUnit } from "./systemd-unit.ts";
import { createV1 } from "./v1.ts";
import { createV2 } from "./v2.ts";

/** One call at a time but for `stats`: the container that owns it puts them in order. */
export interface Cgroup {
  /**
   * How a child gets in: it is born in `directory` (v2), or, while it has one thread, it writes "0"
   * to each of `files` (v1).
   */
  readonly entry: CgroupEntry;
  /**
   * The cgroup that a process of the container is in, if it is one that the container has nested in
   * this one, for another process to be born there (v2). The caller owns it. Throws a KernelError.
   */
  nestedOf(pid: number): Fd | undefined;
  /** What a mount of type `cgroup` shows the container. */
  readonly view: CgroupView;
  /** The first process is in: what has held its place may go. */
  entered(): Promise<void>;
  /**
   * Set limits; those that `resources` does not name stay. The first call also forbids all devices but
   * those of `device-policy.ts` and of the rules; rules of later calls change what is in force. Throws,
   * with the name of the field, at the first that is not taken; those before it stay.
   */
  apply(resources: Resources): Promise<void>;
  /** The guest has got more processors: they are for whoever has asked for none in particular. */
  addProcessors(): Promise<void>;
  /** May be called at any time, also while another call is under way. */
  stats(): Promise<Stats>;
  /** Call `onKill` when the kernel kills for want of memory (`oom.ts`). undefined: there is nothing to watch. */
  watchOom(onKill: () => void): OomWatch | undefined;
  /** Resolves when every process has stopped. Throws if one has not within 2 s; none stays stopped. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** SIGKILL for every process in it, nested cgroups included, also if it is frozen. */
  kill(): Promise<void>;
  /**
   * Wait until nobody is in it, at most 5 s, and remove it with what is nested. What cannot be
   * removed does not keep the rest; it is thrown at the end. A second call finds nothing to do.
   */
  destroy(): Promise<void>;
}

export type CreateCgroup = {
  readonly cgroupsPath: string | undefined;
  readonly containerId: string;
  /** Whether systemd is process 1: cgroups are its own then, if the path is one that it knows. */
  readonly hasSystemd: boolean;
};

/**
 * Make the cgroup of a new container. Throws an Error if the path is not below the root or if a
 * process is in it, a KernelError if the kernel refuses; then nothing is left of what was made.
 */
export function createCgroup(options: CreateCgroup): Promise<Cgroup> {
  return phase("cgroup", () => create(options));
}

async function create(options: CreateCgroup): Promise<Cgroup> {
  const { cgroupsPath = "", containerId, hasSystemd } = options;
  const version = cgroupVersion();
  const unit = hasSystemd ? systemdUnit(cgroupsPath, containerId) : undefined;
  if (unit !== undefined) return createSystemd(unit, version);
  const path = cgroupPath(cgroupsPath, containerId);
  return version === 2 ? createV2(path) : createV1(path);
}

/** With v1, or both versions at once (then v2 has no controllers), there is a tmpfs. */
export function cgroupVersion(): 1 | 2 {
  const buffer = new Uint8Array(120);
  perform("statfs /sys/fs/cgroup", statfs("/sys/fs/cgroup", buffer));
  const magic = new DataView(buffer.buffer).getUint32(0, true);
  return magic === MAGIC.CGROUP2_SUPER ? 2 : 1;
}
