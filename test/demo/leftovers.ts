// What an agent that has ended left behind: in the namespaces it ran in, and in the directory for
// temporary files.
import { readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { cgroupsNamed, descendantsOf } from "../support/held.ts";

export type Snapshot = {
  /** The mount points that are there, by the id of the mount: two may be on one point. */
  readonly mounts: ReadonlyMap<string, string>;
  readonly files: readonly string[];
};

export function snapshot(): Snapshot {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  const fields = lines.map((line) => line.split(" "));
  return {
    mounts: new Map(fields.map(([id = "", , , , at = ""]) => [id, at])),
    files: readdirSync(tmpdir()),
  };
}

/** Processes other than this one, what `before` did not have, and cgroups of the container. */
export function leftovers(before: Snapshot, containerId: string): string[] {
  const processes = descendantsOf(1).filter((pid) => pid !== process.pid);
  const { mounts, files } = snapshot();
  const newMounts = [...mounts].filter(([id]) => !before.mounts.has(id));
  return [
    ...processes.map((pid) => `process ${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}`),
    ...newMounts.map(([, mountPoint]) => `mount ${mountPoint}`),
    ...files.filter((name) => !before.files.includes(name)).map((name) => `file ${name}`),
    ...cgroupsNamed(containerId).map((path) => `cgroup ${path}`),
  ];
}
