// What a process has open, mounted, born and made, as seen from outside: two looks that are equal
// mean that nothing was left in between.
import { existsSync, readFileSync, readdirSync, readlinkSync, rmdirSync } from "node:fs";
import { until } from "../../src/async/until.ts";

export type Held = {
  /** `7 socket:[4711]` */
  readonly descriptors: readonly string[];
  /** Descendants: `sh`, or `zombie sh`. */
  readonly processes: readonly string[];
  /** In its mount namespace: `512 /run/kata-containers/c1/rootfs` */
  readonly mounts: readonly string[];
  /** Its own, which it may leave only for the moment of a clone: `pid:[4026531836]` */
  readonly namespaces: readonly string[];
  /** Directories below the test's own cgroup, in every hierarchy. */
  readonly cgroups: readonly string[];
  /** What is in /run/kata-containers and in /run/sandbox-ns. */
  readonly state: readonly string[];
};

const CGROUPS = "/sys/fs/cgroup";

/** `prefix`: the name of the cgroup, at the root of each hierarchy, in which the test's are. */
export function heldBy(pid: number, prefix: string): Held {
  return {
    descriptors: linksIn(`/proc/${pid}/fd`),
    processes: descendantsOf(pid).map(describe),
    mounts: mountsOf(pid),
    namespaces: linksIn(`/proc/${pid}/ns`),
    cgroups: cgroupsNamed(prefix).flatMap(directoriesIn),
    state: ["kata-containers", "sandbox-ns"].flatMap((name) => {
      const directory = `/proc/${pid}/root/run/${name}`;
      return existsSync(directory) ? readdirSync(directory).map((each) => `${name}/${each}`) : [];
    }),
  };
}

/** `7 socket:[4711]`. One may be closed between the listing and the look at it. */
function linksIn(directory: string): string[] {
  return readdirSync(directory).map((name) => {
    try {
      return `${name} ${readlinkSync(`${directory}/${name}`)}`;
    } catch (error) {
      return `${name} ${error instanceof Error ? error.message : error}`;
    }
  });
}

/** By proc_pid_stat(5): a process that ends meanwhile has none. */
export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  return /^\d+$/.test(pid) ? Number(statOf(pid)?.[2]) : undefined;
}

/** The state, from the name in parentheses on: state, parent, … */
function statOf(pid: number | string): readonly [string, string, string] | undefined {
  const path = `/proc/${pid}/stat`;
  try {
    const [, name = "", state = "", parent = ""] =
      /^\d+ \((.*)\) (\S) (\d+)/s.exec(readFileSync(path, "utf8")) ?? [];
    return [name, state, parent];
  } catch {
    return undefined;
  }
}

export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Whether it runs or sleeps is a matter of the moment. */
function describe(pid: number): string {
  const [name = "?", state = ""] = statOf(pid) ?? [];
  return state === "Z" ? `zombie ${name}` : name;
}

/**
 * `2 /run/kata-containers/c1/rootfs` for the second mount at that place in its namespace. Not by
 * the kernel's ids: a mount that is made anew, as a test does, may get another.
 */
export function mountsOf(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trimEnd().split("\n");
  const counts = new Map<string, number>();
  return lines.map((line) => {
    const [, , , , at = ""] = line.split(" ");
    const count = (counts.get(at) ?? 0) + 1;
    counts.set(at, count);
    return `${count} ${at}`;
  });
}

/** The cgroup of that name in each v1 hierarchy, or the one on v2. */
export function cgroupsNamed(name: string): string[] {
  const roots = readdirSync(CGROUPS).map((hierarchy) => `${CGROUPS}/${hierarchy}`);
  return [CGROUPS, ...roots].map((root) => `${root}/${name}`).filter((path) => existsSync(path));
}

/** All directories below `top`, parents first. */
export function directoriesIn(top: string): string[] {
  return namesIn(top).flatMap((name) => [`${top}/${name}`, ...directoriesIn(`${top}/${name}`)]);
}

/** A directory may be removed while this looks. */
function namesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (existsSync(directory)) throw error;
    return [];
  }
}

const KILLED_IN_MS = 10_000;

/** Remove a test's cgroups as soon as those that were killed in them are gone. */
export async function removeCgroups(name: string): Promise<void> {
  const areGone = await until(() => tryRemoveCgroups(name), KILLED_IN_MS);
  if (!areGone) throw new Error(`processes are left in the cgroup ${name}`);
}

function tryRemoveCgroups(name: string): boolean {
  try {
    for (const top of cgroupsNamed(name)) {
      for (const directory of [top, ...directoriesIn(top)].toReversed()) rmdirSync(directory);
    }
    return true;
  } catch {
    return false;
  }
}
