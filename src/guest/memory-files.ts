// What the memory agent needs of the kernel: process.md section 5.1.
import { internal } from "../error.ts";
import { readText, tryReadText, writeText } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { exists } from "../linux/fs.ts";
import { MS } from "../linux/mount-flags.ts";
import { mountInGuest } from "./mount.ts";

export type MemoryFiles = {
  readonly lruGen: string;
  /** The root of cgroup v2. */
  readonly cgroups: string;
  readonly proc: string;
};

const ENABLED = "/sys/kernel/mm/lru_gen/enabled";
/** Everything that can be on is. */
const ALL = 7;

const DEBUGFS = "/sys/kernel/debug";
const FILES: MemoryFiles = {
  lruGen: `${DEBUGFS}/lru_gen`,
  cgroups: "/sys/fs/cgroup",
  proc: "/proc",
};

/** Made ready. Throws an AgentError that names what this kernel lacks, or a KernelError. */
export function memoryFiles(cgroupVersion: 1 | 2): MemoryFiles {
  const lacks = (what: string) => internal(`the guest's kernel has no ${what}`);
  const enabled = tryReadText(ENABLED);
  if (enabled === undefined) throw lacks(`multi-generational LRU (${ENABLED})`);
  if (Number(enabled.trim()) !== ALL) writeText(ENABLED, String(ALL));
  if (cgroupVersion !== 2) throw internal("the guest's cgroups are of version 1");
  // As PID 1 nobody has mounted it before.
  if (attempt(exists(FILES.lruGen)) < 0) {
    const flags = MS.NOSUID | MS.NODEV | MS.NOEXEC;
    mountInGuest({ fstype: "debugfs", source: "debugfs", target: DEBUGFS, flags });
  }
  if (attempt(exists(FILES.lruGen)) < 0) throw lacks(FILES.lruGen);
  try {
    readText(`${FILES.cgroups}/memory.pressure`);
  } catch {
    throw lacks("account of memory pressure (psi=1 on its command line)");
  }
  return FILES;
}
