// Make a compiled executable need nothing outside itself (README.md). Takes bytes and gives bytes.
import type { Arch } from "../linux/arch.ts";
import { alignUp } from "./align.ts";
import { EHDR_AT, type Elf, PF, PT, loadsOf, parseElf, segmentOf, textAt } from "./elf.ts";
import { neededLibraries, sonameOf, stringTable, versionedLibraries } from "./library-names.ts";
import { payloadPointer } from "./payload.ts";
import { Pile } from "./pile.ts";
import { SHF, encodeSections, programSection, sectionsOf } from "./sections.ts";
import { PAGE, type Parts, type Place, makeSegment } from "./segment.ts";
import { EHDR, PHDR, type Phdr, sizeOf, write } from "./struct.ts";

/**
 * `executable` is what Bun compiles for glibc; `loader` and `libraries` are glibc's for the same
 * architecture. The same bytes in give the same bytes out. Throws an Error that begins with the file's
 * name for what is not such an executable, is sealed already, or needs a library that is not given.
 */
export function seal(
  executable: Uint8Array,
  given: {
    readonly arch: Arch;
    readonly loader: Uint8Array;
    readonly libraries: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  },
): Uint8Array {
  const { arch } = given;
  const elf = parseElf({ name: "executable", bytes: executable }, arch, "EXEC");
  const parts = {
    executable: elf,
    loader: parseElf({ name: "loader", bytes: given.loader }, arch, "DYN"),
    libraries: given.libraries.map((library) => parseElf(library, arch, "DYN")),
  };
  checkNeeds(parts);
  const page = PAGE[arch];
  const ends = loadsOf(elf).map(({ p_vaddr, p_memsz }) => p_vaddr + p_memsz);
  const place = {
    address: alignUp(Math.max(...ends), page),
    offset: alignUp(executable.length, page),
  };
  const segment = makeSegment(arch, place, parts);
  const size = segment.bytes.length;
  const old = sectionsOf(elf);
  const sections = [
    ...old,
    payloadPointer(elf, old),
    programSection(".kata", { ...place, size }, SHF.EXECINSTR, page),
  ];
  const end = encodeSections(sections, elf.header.e_shstrndx, place.offset + size);

  const start = executable.slice();
  redirectNames(start, parts, place, segment.paths);
  const segments = kernelSegments(elf, place, size, page);
  writeSegments(start, elf, segments);
  write(start, EHDR, EHDR_AT, {
    ...elf.header,
    e_entry: place.address,
    e_phnum: segments.length,
    e_shoff: end.tableOffset,
    e_shnum: sections.length,
  });
  const pile = new Pile();
  pile.add(start);
  pile.add(segment.bytes, page);
  pile.add(end.bytes);
  return pile.join();
}

/** All that is needed is inside, by the name that it is asked for. */
function checkNeeds({ executable, loader, libraries }: Parts): void {
  const interpreter = textAt(executable, segmentOf(executable, "INTERP").p_offset);
  for (const library of libraries) {
    const soname = sonameOf(library);
    if (soname !== library.name) throw new Error(`${library.name}: its soname is ${soname}`);
  }
  const there = new Set([...libraries, loader].map(sonameOf));
  if (interpreter.split("/").at(-1) !== sonameOf(loader)) {
    throw new Error(`executable: its loader is ${interpreter}, not ${sonameOf(loader)}`);
  }
  for (const file of [executable, ...libraries]) {
    for (const { name } of neededLibraries(file)) {
      if (!there.has(name)) throw new Error(`${file.name}: needs ${name}, which is not given`);
    }
  }
}

/** Let the executable name the paths in the segment where it names libraries. */
function redirectNames(
  bytes: Uint8Array,
  { executable, libraries }: Parts,
  { address }: Place,
  paths: readonly number[],
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { name, at, width } of [
    ...neededLibraries(executable),
    ...versionedLibraries(executable),
  ]) {
    const path = paths[libraries.findIndex((library) => library.name === name)];
    // The loader itself is mapped already, and known by its own name.
    if (path === undefined) continue;
    const offset = address + path - stringTable(executable);
    // A version need has 32 bits for it.
    if (offset < 0 || offset >= 2 ** 32) {
      throw new Error(`${executable.name}: its string table is ${offset} bytes from the segment`);
    }
    if (width === 8) view.setBigUint64(at, BigInt(offset), true);
    else view.setUint32(at, offset, true);
  }
}

/**
 * What the kernel is to map: no interpreter any more, and for tools no sign of a dynamic executable, so
 * that none looks for its libraries. The loader reads the table that is in the segment.
 */
function kernelSegments(elf: Elf, place: Place, size: number, page: number): readonly Phdr[] {
  const dropped: readonly number[] = [PT.INTERP, PT.DYNAMIC, PT.PHDR];
  const kept = elf.segments.filter(({ p_type }) => !dropped.includes(p_type));
  const behind = kept.findLastIndex(({ p_type }) => p_type === PT.LOAD) + 1;
  return kept.toSpliced(behind, 0, {
    p_type: PT.LOAD,
    p_flags: PF.R | PF.X,
    p_offset: place.offset,
    p_vaddr: place.address,
    p_paddr: place.address,
    p_filesz: size,
    p_memsz: size,
    p_align: page,
  });
}

/** In the place of the old ones, of which there are more. */
function writeSegments(bytes: Uint8Array, { header }: Elf, segments: readonly Phdr[]): void {
  const { e_phoff, e_phnum } = header;
  bytes.fill(0, e_phoff, e_phoff + e_phnum * sizeOf(PHDR));
  for (const [index, segment] of segments.entries()) {
    write(bytes, PHDR, e_phoff + index * sizeOf(PHDR), segment);
  }
}
