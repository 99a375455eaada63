// A cgroup and what is nested in it. A container that may write to its cgroup file system nests any
// number of cgroups in its own, and changes them while we look: what is gone is no error here.
import { paced } from "../async/paced.ts";
import { until } from "../async/until.ts";
import { listDirectories, readText, removeDirectory } from "../kernel/file.ts";
import type { ErrnoName } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";

/**
 * ENODEV is a file that was opened before its cgroup was removed. A container can nest deeper than a
 * path is long: ENAMETOOLONG; what is there dies with the container's pid namespace.
 */
const OUT_OF_REACH: readonly ErrnoName[] = ["ENOENT", "ENODEV", "ENAMETOOLONG"];

/** In a threaded cgroup the processes are listed by its domain, which is further up (cgroups(7)). */
const NO_PROCESSES: readonly ErrnoName[] = [...OUT_OF_REACH, "EOPNOTSUPP"];

/** `top` and every cgroup nested in it, parents first. */
export function* cgroupsIn(top: string): Generator<string> {
  yield top;
  const names = tolerate(OUT_OF_REACH, () => listDirectories(top)) ?? [];
  for (const name of names) yield* cgroupsIn(`${top}/${name}`);
}

/** The processes of one cgroup. 0 stands for those outside the agent's pid namespace. */
export function pidsIn(cgroup: string): number[] {
  const text = tolerate(NO_PROCESSES, () => readText(`${cgroup}/cgroup.procs`)) ?? "";
  return text.split("\n").filter(isNumber).map(Number);
}

/** Remove a tree in which nobody is, now. Throws a KernelError: EBUSY if somebody is. */
export function removeEmpty(top: string): void {
  for (const cgroup of [...cgroupsIn(top)].toReversed()) removeDirectory(cgroup);
}

/** Killed processes need a moment to end; one that waits for a device may need for ever. */
const REMOVE_CAP_MS = 5000;

/**
 * Remove each tree as soon as nobody is in it. One that fails does not stop the others. Throws the
 * error, or an AggregateError of several: EBUSY if somebody is still there after `capMs`.
 */
export async function removeAll(tops: readonly string[], capMs = REMOVE_CAP_MS): Promise<void> {
  const outcomes = await Promise.allSettled(tops.map((top) => removeOnceEmpty(top, capMs)));
  const errors = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join("; "));
}

async function removeOnceEmpty(top: string, capMs: number): Promise<void> {
  let busy: unknown;
  const removed = await until(async () => {
    busy = await removeWhatIsEmpty(top);
    return busy === undefined;
  }, capMs);
  if (!removed) throw busy;
}

/** The EBUSY of the last cgroup that has to stay for now, if any. */
async function removeWhatIsEmpty(top: string): Promise<KernelError | undefined> {
  const cgroups: string[] = [];
  for await (const cgroup of paced(cgroupsIn(top))) cgroups.push(cgroup);
  let busy: KernelError | undefined;
  for await (const cgroup of paced(cgroups.toReversed())) {
    try {
      removeDirectory(cgroup);
    } catch (error) {
      if (!(error instanceof KernelError && error.is("EBUSY"))) throw error;
      busy = error;
    }
  }
  return busy;
}

/** What `read` gives, or undefined for one of the named errnos. */
export function tolerate<Result>(
  names: readonly ErrnoName[],
  read: () => Result,
): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelError && names.some((name) => error.is(name))) return undefined;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isNumber(line: string): boolean {
  return /^\d+$/.test(line);
}
