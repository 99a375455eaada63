// What the agent does first as PID 1 of a guest: nobody else does it (process.md section 2.2). A guest
// that lacks a part of this may still do what is asked of it, so no step is fatal: what fails is told,
// and the agent serves what it can.
import { attempt, perform } from "../kernel/perform.ts";
import { readText, tryReadText, writeText } from "../kernel/file.ts";
import { errnoNumber } from "../linux/errno.ts";
import { RLIMIT, SIG } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { setrlimit, setsid } from "../linux/process.ts";
import { resetSignal } from "../linux/signal.ts";
import { setControllingTerminal } from "../linux/tty.ts";
import { BASE_MOUNTS, type GuestMount } from "./base-mounts.ts";
import { CGROUPFS, type CgroupChoice, cgroupMounts, v1Controllers } from "./cgroup-hierarchy.ts";
import { setHostname } from "./hostname.ts";
import { LINKS, linkPtmx, makeLink } from "./links.ts";
import { bringUpLoopback } from "./loopback.ts";
import { mountAt, mountInGuest } from "./mount.ts";

/** Where programs of the guest look for others, the shell of the debug console for one. */
const PATH = "/bin:/sbin/:/usr/bin/:/usr/sbin/";

export type InitOptions = {
  readonly cgroups: CgroupChoice;
  /** Hears of each step that failed. */
  readonly report: (error: unknown) => void;
};

/** Repeatable: what somebody else has prepared already is left as it is. */
export function prepareGuest({ cgroups, report }: InitOptions): void {
  const steps = [
    outliveSignals,
    ...BASE_MOUNTS.map((mount) => () => mountInGuest(mount)),
    () => mountCgroups(cgroups, report),
    linkPtmx,
    ...LINKS.map((link) => () => makeLink(link)),
    startSession,
    raiseFileLimit,
    setHostname,
    bringUpLoopback,
  ];
  for (const step of steps) tell(step, report);
  process.env["PATH"] = PATH;
}

function tell(step: () => void, report: (error: unknown) => void): void {
  try {
    step();
  } catch (error) {
    report(error);
  }
}

function mountCgroups(choice: CgroupChoice, report: (error: unknown) => void): void {
  if (mountAt(CGROUPFS) !== undefined) return;
  const mounts = cgroupMounts(choice, v1Controllers(tryReadText("/proc/cgroups") ?? ""));
  for (const mount of mounts) tell(() => mountInGuest(mount), report);
  if (mounts.some(isMemoryV1)) writeText(`${CGROUPFS}/memory/memory.use_hierarchy`, "1");
}

function isMemoryV1({ fstype, data }: GuestMount): boolean {
  return fstype === "cgroup" && data === "memory";
}

/**
 * Bun ends by these where one of the first three descriptors is a terminal, and the kernel panics. What
 * PID 1 does not catch the kernel keeps from it. The console sends the first, by ^C.
 */
function outliveSignals(): void {
  for (const signal of [SIG.INT, SIG.TERM]) {
    perform(`default action for signal ${signal}`, resetSignal(signal));
  }
}

/** The console becomes its terminal where it can be one. */
function startSession(): void {
  const start = setsid();
  const result = attempt(start);
  // It leads one already.
  if (result < 0 && result !== -errnoNumber("EPERM")) {
    throw new KernelError("start a session", start, -result);
  }
  attempt(setControllingTerminal(0, true));
}

/** To what systemd gives the agent: the unit asks for more than any kernel has. */
function raiseFileLimit(): void {
  const limit = BigInt(readText("/proc/sys/fs/nr_open").trim());
  perform(`allow ${limit} open files`, setrlimit(RLIMIT.NOFILE, limit, limit));
}
