// What an agent that has ended left behind in the namespaces it ran in.
import { readFileSync } from "node:fs";
import { cgroupsNamed, descendantsOf } from "../support/held.ts";

/** The mount points that are there, by the id of the mount: two may be on one point. */
export function snapshot(): ReadonlyMap<string, string> {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return new Map(lines.map((line) => line.split(" ")).map(([id = "", , , , at = ""]) => [id, at]));
}

/** Processes other than this one, mounts that `before` did not have, and cgroups of the container. */
export function leftovers(before: ReadonlyMap<string, string>, containerId: string): string[] {
  const processes = descendantsOf(1).filter((pid) => pid !== process.pid);
  const mounts = [...snapshot()].filter(([id]) => !before.has(id));
  return [
    ...processes.map((pid) => `process ${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}`),
    ...mounts.map(([, mountPoint]) => `mount ${mountPoint}`),
    ...cgroupsNamed(containerId).map((path) => `cgroup ${path}`),
  ];
}
