// The program that Bun has compiled in, and the word by which it is found.
import { alignUp } from "./align.ts";
import { type Elf, loadsOf } from "./elf.ts";
import { SHF, SHT, type Section, programSection } from "./sections.ts";

/** The section of the program. */
const PAYLOAD = ".bun";
const WORD = 8;

/**
 * A section for the word that has the address of the program. Bun gives it none, so strip drops it, and
 * what is left is Bun's command line. Throws an Error where there is not exactly one such word.
 */
export function payloadPointer(elf: Elf, sections: readonly Section[]): Section {
  const payload = sections.find(({ name }) => name === PAYLOAD);
  if (payload === undefined) throw new Error(`${elf.name}: no section ${PAYLOAD}, which Bun makes`);
  const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset, elf.bytes.byteLength);
  const found: { address: number; offset: number; size: number }[] = [];
  for (const gap of gapsOf(elf, sections)) {
    for (let offset = alignUp(gap.start, WORD); offset + WORD <= gap.end; offset += WORD) {
      const points = Number(view.getBigUint64(offset, true)) === payload.sh_addr;
      if (points) found.push({ address: offset + gap.addressMinusOffset, offset, size: WORD });
    }
  }
  const [place] = found;
  if (place === undefined || found.length > 1) {
    throw new Error(`${elf.name}: ${found.length} words outside all sections point to ${PAYLOAD}`);
  }
  return programSection(`${PAYLOAD}.pointer`, place, SHF.WRITE, WORD);
}

/** The parts of the file that are mapped and that no section covers. */
function gapsOf(elf: Elf, sections: readonly Section[]) {
  const covering = sections
    .filter(
      ({ sh_type, sh_flags }) =>
        sh_type !== SHT.NULL && sh_type !== SHT.NOBITS && sh_flags & SHF.ALLOC,
    )
    .toSorted((one, other) => one.sh_offset - other.sh_offset);
  return loadsOf(elf).flatMap(({ p_offset, p_filesz, p_vaddr }) => {
    const end = p_offset + p_filesz;
    const gaps = [];
    let start = p_offset;
    for (const { sh_offset, sh_size } of covering) {
      if (sh_offset >= end) break;
      if (sh_offset > start) gaps.push({ start, end: sh_offset });
      start = Math.max(start, sh_offset + sh_size);
    }
    gaps.push({ start, end });
    return gaps.map((gap) => ({ ...gap, addressMinusOffset: p_vaddr - p_offset }));
  });
}
