// What a container that mounts `cgroup` is shown: pure data, filled in by src/cgroup.

/** One v1 hierarchy. */
export type HierarchyView = {
  /** Its directory below /sys/fs/cgroup: `memory`, `cpu,cpuacct`, … */
  readonly name: string;
  /** The controllers that it holds under another name: each is a symbolic link to it. */
  readonly links: readonly string[];
  /** The container's own cgroup in it, as the agent sees it. */
  readonly directory: string;
};

export type CgroupView =
  { readonly version: 2 } | { readonly version: 1; readonly hierarchies: readonly HierarchyView[] };
