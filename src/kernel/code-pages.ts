// Let go of the pages of the agent's code: all but a few MB of what is resident when it rests.
import { call } from "../linux/call.ts";
import { MADV } from "../linux/constants.ts";
import { readText } from "./file.ts";
import type { Range } from "./heap.ts";
import { perform } from "./perform.ts";

/** The executable's own; libraries are smaller. */
const SMALLEST = 4 << 20;

/**
 * The pages stay in the page cache, where the kernel finds them when the code runs again, and takes them
 * more easily when it needs memory: they are mapped by nobody. Nothing is lost, for code is never written
 * to. Throws a KernelError. madvise(2), MADV_DONTNEED.
 */
export function letGoOfCode(): void {
  for (const { from, to } of codeMappings(readText("/proc/self/maps"))) {
    perform("let go of the code", call("madvise", from, to - from, MADV.DONTNEED));
  }
}

/** The large mappings of files that can be executed and not written: proc_pid_maps(5). */
export function codeMappings(maps: string): Range[] {
  const lines = maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-xp [0-9a-f]+ \S+ \d+ +\/.*$/gm);
  return [...lines]
    .map(([, from = "", to = ""]) => ({ from: parseInt(from, 16), to: parseInt(to, 16) }))
    .filter(({ from, to }) => to - from >= SMALLEST);
}
