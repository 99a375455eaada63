// The section headers, which only tools read. strip keeps what a section covers and may lose the rest:
// what counts must have one.
import { type Elf, textAt } from "./elf.ts";
import { Pile } from "./pile.ts";
import { SHDR, type Shdr, read, sizeOf, write } from "./struct.ts";

export const SHT = { NULL: 0, PROGBITS: 1, NOBITS: 8 } as const;
export const SHF = { WRITE: 1, ALLOC: 2, EXECINSTR: 4 } as const;

export type Section = Shdr & { readonly name: string };

export function sectionsOf(elf: Elf): readonly Section[] {
  const { e_shoff, e_shnum, e_shentsize, e_shstrndx } = elf.header;
  if (e_shentsize !== sizeOf(SHDR)) {
    throw new Error(`${elf.name}: ${e_shnum} section headers of ${e_shentsize} bytes`);
  }
  const headers = Array.from({ length: e_shnum }, (_, index) =>
    read(elf, SHDR, e_shoff + index * sizeOf(SHDR)),
  );
  const names = headers[e_shstrndx];
  if (names === undefined) throw new Error(`${elf.name}: no section ${e_shstrndx} for names`);
  return headers.map((header) => ({
    ...header,
    name: textAt(elf, names.sh_offset + header.sh_name),
  }));
}

/** A section of the program's own bytes. */
export function programSection(
  name: string,
  place: { readonly address: number; readonly offset: number; readonly size: number },
  flags: number,
  align: number,
): Section {
  return {
    name,
    sh_name: 0,
    sh_type: SHT.PROGBITS,
    sh_flags: SHF.ALLOC | flags,
    sh_addr: place.address,
    sh_offset: place.offset,
    sh_size: place.size,
    sh_link: 0,
    sh_info: 0,
    sh_addralign: align,
    sh_entsize: 0,
  };
}

/**
 * The end of a file: the names of its sections, and their headers. `offset` is where it will be;
 * `strings` is the section of the names, which moves there.
 */
export function encodeSections(sections: readonly Section[], strings: number, offset: number) {
  const names = new TextEncoder().encode(sections.map(({ name }) => `${name}\0`).join(""));
  const table = new Uint8Array(sections.length * sizeOf(SHDR));
  let at = 0;
  for (const [index, section] of sections.entries()) {
    const moved = index === strings ? { sh_offset: offset, sh_size: names.length } : {};
    write(table, SHDR, index * sizeOf(SHDR), { ...section, ...moved, sh_name: at });
    at += section.name.length + 1;
  }
  const pile = new Pile();
  pile.add(names);
  return { tableOffset: offset + pile.add(table), bytes: pile.join() };
}
