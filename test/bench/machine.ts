// The machine as far as it bears on the numbers, and no further.
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg, release } from "node:os";

export function machine(): string {
  // A hypervisor says so in this bit of CPUID.
  const isVirtual = /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  const [version] = release().split("-");
  const cores = availableParallelism();
  return `${cores} cores${isVirtual ? ", virtualised" : ""}, Linux ${version}, ${process.arch}`;
}

/** Processes that wanted to run, over the last minute. */
export function busy(): number {
  return loadavg()[0] ?? Number.NaN;
}
