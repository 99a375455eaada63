// What containers need to know of the guest they run in. It does not change while the agent lives.
import { cgroupVersion } from "../cgroup/cgroup.ts";
import { readText } from "../kernel/file.ts";
import { ignoredSignals } from "../kernel/ignored-signals.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { MAGIC } from "../linux/constants.ts";
import { exists, statfs } from "../linux/fs.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import type { RootSwitch } from "../program/rootfs.ts";
import type { HookRules } from "./hook-rules.ts";

export type Guest = {
  readonly cgroupVersion: 1 | 2;
  /** Whether systemd is process 1. */
  readonly hasSystemd: boolean;
  readonly rootSwitch: RootSwitch;
  /** Signals the agent ignores, which its children would, too. */
  readonly ignoredSignals: readonly number[];
  /**
   * Of a process of whose score for want of memory nothing is said; undefined: the agent's. As a service the
   * agent is the last to be killed, and what it starts for others must not be.
   */
  readonly oomScoreAdj: number | undefined;
  /** Bytes for each output pipe of a process; 0: the kernel's default. */
  readonly pipeSize: number;
  readonly hooks: HookRules;
  readonly warn: Warn;
};

/** What was asked for and is not done. */
export type Warn = (message: string, fields: Readonly<Record<string, string>>) => void;

export function describeGuest(pipeSize: number, hooks: HookRules, warn: Warn): Guest {
  return {
    cgroupVersion: cgroupVersion(),
    // As sd_booted(3) tells. Where the agent is process 1 itself, nobody has made that directory.
    hasSystemd: process.pid !== 1 && attempt(exists("/run/systemd/system")) >= 0,
    rootSwitch: isInitramfs() ? { kind: "move", detach: kernelMounts() } : { kind: "pivot" },
    ignoredSignals: ignoredSignals(),
    oomScoreAdj: Number(readText("/proc/self/oom_score_adj")) < 0 ? 0 : undefined,
    pipeSize,
    hooks,
    warn,
  };
}

/** The first root of the kernel can be neither pivoted nor unmounted: pivot_root(2). */
function isInitramfs(): boolean {
  const root = parseMountinfo(readText("/proc/self/mountinfo")).findLast(
    ({ mountPoint }) => mountPoint === "/",
  );
  if (root?.fstype !== "rootfs") return false;
  const buffer = new Uint8Array(120);
  perform("statfs /", statfs("/", buffer));
  const magic = new DataView(buffer.buffer).getUint32(0, true);
  return magic === MAGIC.RAMFS || magic === MAGIC.TMPFS;
}

/** The kernel's own file systems: out of sight below the container's root, but still in its namespace. */
function kernelMounts(): readonly string[] {
  return parseMountinfo(readText("/proc/self/mountinfo"))
    .filter(({ fstype }) => fstype === "proc" || fstype === "sysfs")
    .map(({ mountPoint }) => mountPoint)
    .toReversed();
}
