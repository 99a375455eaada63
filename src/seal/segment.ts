// The one segment that sealing appends: the entry code with its plan, the loader unfolded, a page for
// the paths of the libraries, and the libraries.
import type { Arch } from "../linux/arch.ts";
import { type Elf, PT } from "./elf.ts";
import { ENTRY_CODE } from "./entry-code.ts";
import { PROT_READ_WRITE, type Range, unfoldLoader } from "./loader.ts";
import { Pile } from "./pile.ts";
import { PLAN_BYTES, encodePlan } from "./plan.ts";
import { SCRUBBED } from "./scrubbed.ts";
import { PHDR, type Phdr, sizeOf, write } from "./struct.ts";

/** The largest page that a kernel of the architecture may have, as its linkers assume. */
export const PAGE: Readonly<Record<Arch, number>> = { x86_64: 0x1000, arm64: 0x10000 };

/** What the loader opens, with the number of a descriptor behind it. */
const DIRECTORY = "/proc/self/fd/";
/** Room for ten digits and a NUL. */
const PATH_BYTES = 32;
const DESCRIPTOR_BYTES = 8;

/** Where something will be: its address in memory and its offset in the file. */
export type Place = { readonly address: number; readonly offset: number };

export type Parts = {
  readonly executable: Elf;
  readonly loader: Elf;
  /** Named by their sonames. */
  readonly libraries: readonly Elf[];
};

export type Segment = {
  readonly bytes: Uint8Array;
  /** Where the path of each library will be, from the start of the segment. */
  readonly paths: readonly number[];
};

export function makeSegment(arch: Arch, place: Place, parts: Parts): Segment {
  const { executable, libraries } = parts;
  const page = PAGE[arch];
  const pile = new Pile();
  pile.add(Uint8Array.fromBase64(ENTRY_CODE[arch]));
  const plan = new Uint8Array(PLAN_BYTES);
  pile.add(plan);
  const scrubbed = pile.add(encodeTexts([...SCRUBBED, ""]));
  const labels = libraries.map(({ name }) => pile.add(encodeTexts([name])));
  const table = new Uint8Array(executable.segments.length * sizeOf(PHDR));
  const headers = pile.add(table);
  writeHeaders(table, executable.segments, moved(place, headers));

  const unfolded = unfoldLoader(parts.loader, page);
  const loader = pile.add(unfolded.bytes, page);
  // A page of its own: glibc's loader allocates from what is left of the last page of its variables.
  const writable = pile.add(writablePage(page, libraries.length), page);
  const paths = libraries.map((_, index) => writable + index * PATH_BYTES);
  const descriptors = writable + libraries.length * PATH_BYTES;
  const unpacked = pile.add(new Uint8Array(), page);
  const images = libraries.map(({ bytes }) => pile.add(bytes));
  const end = pile.add(new Uint8Array(), page);

  plan.set(
    encodePlan({
      entry: executable.header.e_entry,
      loader,
      loaderEntry: loader + unfolded.entry,
      headers,
      headerCount: executable.segments.length,
      scrubbed,
      unpacked: { offset: unpacked, size: end - unpacked },
      ranges: [
        ...unfolded.ranges.map((range): Range => ({ ...range, offset: loader + range.offset })),
        { offset: writable, size: page, protection: PROT_READ_WRITE },
      ],
      libraries: libraries.map(({ bytes }, index) => ({
        offset: images[index] ?? 0,
        size: bytes.length,
        label: labels[index] ?? 0,
        number: (paths[index] ?? 0) + DIRECTORY.length,
        descriptor: descriptors + index * DESCRIPTOR_BYTES,
      })),
    }),
  );
  return { bytes: pile.join(), paths };
}

function moved({ address, offset }: Place, by: number): Place {
  return { address: address + by, offset: offset + by };
}

/** The loader reads this copy; it knows by PT_PHDR how far the executable is from where it was linked to. */
function writeHeaders(table: Uint8Array, segments: readonly Phdr[], { address, offset }: Place) {
  for (const [index, segment] of segments.entries()) {
    const own = { ...segment, p_offset: offset, p_vaddr: address, p_paddr: address };
    write(table, PHDR, index * sizeOf(PHDR), segment.p_type === PT.PHDR ? own : segment);
  }
}

function writablePage(page: number, libraries: number): Uint8Array {
  const bytes = new Uint8Array(page);
  for (let index = 0; index < libraries; index++) {
    bytes.set(encodeTexts([DIRECTORY]), index * PATH_BYTES);
  }
  return bytes;
}

/** The texts, each with the NUL that ends it. */
function encodeTexts(list: readonly string[]): Uint8Array {
  return new TextEncoder().encode(list.map((text) => `${text}\0`).join(""));
}
