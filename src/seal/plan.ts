// What entry.c is told: `plan` there, and the same order here. All numbers are 64 bits.
import type { Range } from "./loader.ts";

/** Addresses are absolute; all else counts in bytes from the start of the segment. */
export type Plan = {
  /** The address of the executable's own entry point. */
  readonly entry: number;
  readonly loader: number;
  readonly loaderEntry: number;
  readonly headers: number;
  readonly headerCount: number;
  readonly scrubbed: number;
  /** What nobody needs once the libraries are in memory files. */
  readonly unpacked: Pick<Range, "offset" | "size">;
  readonly ranges: readonly Range[];
  readonly libraries: readonly PlannedLibrary[];
};

export type PlannedLibrary = {
  readonly offset: number;
  readonly size: number;
  /** What /proc/self/maps calls it. */
  readonly label: number;
  /** In the path that the loader opens, where the number of the descriptor is written. */
  readonly number: number;
  /** Where the number is kept until the loader is done. */
  readonly descriptor: number;
};

const RANGES = 6;
const LIBRARIES = 4;

export const PLAN_BYTES = 8 * (10 + RANGES * 3 + LIBRARIES * 5);

/** Throws an Error where entry.c has no room for so many ranges or libraries. */
export function encodePlan(plan: Plan): Uint8Array {
  const { ranges, libraries } = plan;
  const words = [
    plan.entry,
    plan.loader,
    plan.loaderEntry,
    plan.headers,
    plan.headerCount,
    plan.scrubbed,
    plan.unpacked.offset,
    plan.unpacked.size,
    ranges.length,
    libraries.length,
    ...table("ranges", RANGES, 3, ranges.map(rangeWords)),
    ...table("libraries", LIBRARIES, 5, libraries.map(libraryWords)),
  ];
  return new Uint8Array(BigUint64Array.from(words, BigInt).buffer);
}

function rangeWords({ offset, size, protection }: Range): readonly number[] {
  return [offset, size, protection];
}

function libraryWords(library: PlannedLibrary): readonly number[] {
  const { offset, size, label, number, descriptor } = library;
  return [offset, size, label, number, descriptor];
}

function table(what: string, room: number, width: number, rows: readonly (readonly number[])[]) {
  if (rows.length > room) throw new Error(`${rows.length} ${what}: entry.c has room for ${room}`);
  const unused = Array.from({ length: (room - rows.length) * width }, () => 0);
  return [...rows.flat(), ...unused];
}
