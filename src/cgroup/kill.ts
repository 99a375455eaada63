// SIGKILL for every process of a cgroup where the kernel has no `cgroup.kill`: v1, and v2 before
// Linux 5.14.
import { paced } from "../async/paced.ts";
import { until } from "../async/until.ts";
import { writeText } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { SIG } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { kill } from "../linux/process.ts";
import type { Freezer } from "./freezer.ts";
import { cgroupsIn, pidsIn, tolerate } from "./tree.ts";

const CAP_MS = 2000;

/**
 * Signal everybody in `top` and in what is nested in it, until a look finds nobody new: processes
 * may fork while we list them. With a freezer they cannot outrun us.
 */
export async function killAll(top: string, freezer: Freezer | undefined): Promise<void> {
  const signalled = new Set<number>();
  const done = await until(() => killOnce(top, freezer, signalled), CAP_MS);
  if (!done) throw new Error(`kill ${top}: new processes still appear after ${CAP_MS} ms`);
}

/** true: nobody was there who had not been signalled before. */
async function killOnce(
  top: string,
  freezer: Freezer | undefined,
  signalled: Set<number>,
): Promise<boolean> {
  const known = signalled.size;
  if (freezer !== undefined) command(top, freezer.file, freezer.frozen);
  try {
    for await (const cgroup of paced(cgroupsIn(top))) {
      for (const pid of pidsIn(cgroup)) killProcess(pid, signalled);
    }
  } finally {
    // On v1 a frozen process dies only when it is thawed, and the container may have frozen what
    // it nested.
    if (freezer !== undefined) await thawAll(top, freezer);
  }
  return signalled.size === known;
}

async function thawAll(top: string, freezer: Freezer): Promise<void> {
  for await (const cgroup of paced(cgroupsIn(top))) command(cgroup, freezer.file, freezer.thawed);
}

function command(cgroup: string, file: string, text: string): void {
  tolerate(["ENOENT", "ENODEV"], () => writeText(`${cgroup}/${file}`, text));
}

/** Pid 0 would be the agent's own process group. */
function killProcess(pid: number, signalled: Set<number>): void {
  if (pid === 0) return;
  const signal = kill(pid, SIG.KILL);
  const result = attempt(signal);
  if (result < 0 && result !== -errnoNumber("ESRCH")) {
    throw new KernelError(`kill process ${pid}`, signal, -result);
  }
  signalled.add(pid);
}
