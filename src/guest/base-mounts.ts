// What is mounted in a guest whose PID 1 the agent is, before anything else: process.md section 2.3.
import { MS } from "../linux/mount-flags.ts";

/** A file system to mount; `data` is what only that file system understands. */
export type GuestMount = {
  readonly fstype: string;
  readonly source: string;
  readonly target: string;
  /** MS_* bits. */
  readonly flags: number;
  readonly data?: string;
};

const { NOSUID, NODEV, NOEXEC } = MS;

/** In this order: the third brings the directory that the next two are in. */
export const BASE_MOUNTS: readonly GuestMount[] = [
  { fstype: "proc", source: "proc", target: "/proc", flags: NOSUID | NODEV | NOEXEC },
  { fstype: "sysfs", source: "sysfs", target: "/sys", flags: NOSUID | NODEV | NOEXEC },
  { fstype: "devtmpfs", source: "dev", target: "/dev", flags: NOSUID },
  { fstype: "tmpfs", source: "tmpfs", target: "/dev/shm", flags: NOSUID | NODEV },
  { fstype: "devpts", source: "devpts", target: "/dev/pts", flags: NOSUID | NOEXEC },
  { fstype: "tmpfs", source: "tmpfs", target: "/run", flags: NOSUID | NODEV },
];
