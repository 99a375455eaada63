// Where a dynamic executable names its libraries: in DT_NEEDED, which the loader opens, and in the
// version needs, by which it checks what it has opened. Both must change alike.
import { type Elf, dynamicOf, offsetOf, textAt } from "./elf.ts";
import { VERNEED, read } from "./struct.ts";

const DT = {
  NEEDED: 1,
  STRTAB: 5,
  SONAME: 14,
  VERNEED: 0x6ffffffe,
  VERNEEDNUM: 0x6fffffff,
} as const;

/** A name, and the offset in the file of the number that says where in the string table it is. */
export type LibraryName = { readonly name: string; readonly at: number; readonly width: 4 | 8 };

/** The loader adds what it reads to this address, and does not ask where the table ends. */
export function stringTable(elf: Elf): number {
  return required(elf, "STRTAB");
}

export function neededLibraries(elf: Elf): readonly LibraryName[] {
  return dynamicOf(elf)
    .filter(({ tag }) => tag === DT.NEEDED)
    .map(({ value, at }) => ({ name: nameAt(elf, value), at: at + 8, width: 8 }));
}

export function versionedLibraries(elf: Elf): readonly LibraryName[] {
  const names: LibraryName[] = [];
  let at = offsetOf(elf, required(elf, "VERNEED"));
  for (let left = required(elf, "VERNEEDNUM"); left > 0; left--) {
    const { vn_file, vn_next } = read(elf, VERNEED, at);
    names.push({ name: nameAt(elf, vn_file), at: at + 4, width: 4 });
    if (vn_next === 0) break;
    at += vn_next;
  }
  return names;
}

/** What a library calls itself: a later dlopen(3) of this name finds it. */
export function sonameOf(elf: Elf): string {
  return nameAt(elf, required(elf, "SONAME"));
}

function nameAt(elf: Elf, offset: number): string {
  return textAt(elf, offsetOf(elf, stringTable(elf) + offset));
}

function required(elf: Elf, name: keyof typeof DT): number {
  const entry = dynamicOf(elf).find(({ tag }) => tag === DT[name]);
  if (entry === undefined) throw new Error(`${elf.name}: no DT_${name}`);
  return entry.value;
}
