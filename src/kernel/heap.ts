// Keep the JavaScript heap out of the agent's children. A clone copies the page tables of all that the
// agent has written to, and each of these pages faults once more when the agent writes to it again. A
// child plays a tape: it needs the player, the tape, a stack and libc, and nothing of JavaScript's.
import { call } from "../linux/call.ts";
import { MADV } from "../linux/constants.ts";
import { readText } from "./file.ts";
import { perform } from "./perform.ts";

/** Half-open, of addresses. */
export type Range = { readonly from: number; readonly to: number };

/** Thread stacks, libc's data and the like are smaller; they are copied, whoever uses them. */
const SMALLEST = 4 << 20;

/**
 * What is kept around an address that a child needs. The compiler puts the player's code and data into
 * one allocation; around errno is the thread's block, in which the kernel notes where the thread runs
 * (rseq(2)), in children, too.
 */
const MARGIN = 64 << 10;
/** No page of x86_64 or arm64 is larger, and madvise takes whole ones. */
const LARGEST_PAGE = 64 << 10;

/**
 * From now on no child has the large anonymous mappings that are there, but for what lies around
 * `needed`. The heap is reserved in one piece, so what it grows to is kept out, too. Throws a
 * KernelError. madvise(2), MADV_DONTFORK.
 */
export function keepHeapFromChildren(needed: readonly number[]): void {
  for (const range of largeMappings(readText("/proc/self/maps"))) {
    for (const { from, to } of withoutPlaces(range, needed)) {
      perform("keep the heap from children", call("madvise", from, to - from, MADV.DONTFORK));
    }
  }
}

/**
 * The writable, private mappings of no file (proc_pid_maps(5)). The engine names some of its own, where the
 * kernel keeps names (CONFIG_ANON_VMA_NAME); the kernel's names are without `anon`.
 */
export function largeMappings(maps: string): Range[] {
  const lines = maps.matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) rw.p 00000000 00:00 0 *(?:\[anon:.*\])?$/gm,
  );
  return [...lines]
    .map(([, from = "", to = ""]) => ({ from: parseInt(from, 16), to: parseInt(to, 16) }))
    .filter(({ from, to }) => to - from >= SMALLEST);
}

/** What is left of `range` without the pages around each of `places`. */
export function withoutPlaces(range: Range, places: readonly number[]): Range[] {
  let left = [range];
  for (const place of places) {
    const from = Math.floor((place - MARGIN) / LARGEST_PAGE) * LARGEST_PAGE;
    const to = Math.ceil((place + MARGIN) / LARGEST_PAGE) * LARGEST_PAGE;
    left = left.flatMap((each) =>
      [
        { from: each.from, to: Math.min(each.to, from) },
        { from: Math.max(each.from, to), to: each.to },
      ].filter((piece) => piece.to > piece.from),
    );
  }
  return left;
}
