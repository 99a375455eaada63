// An ELF file as the kernel and the loader read it: by its program headers. Sections, which only tools
// read, are in sections.ts.
import type { Arch } from "../linux/arch.ts";
import { DYN, EHDR, type Ehdr, type File, PHDR, type Phdr, read, sizeOf } from "./struct.ts";

export const ET = { EXEC: 2, DYN: 3 } as const;
export const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, PHDR: 6 } as const;
export const PF = { X: 1, W: 2, R: 4 } as const;

const EM: Readonly<Record<Arch, number>> = { x86_64: 62, arm64: 183 };

/** What precedes Elf64_Ehdr's numbers: magic, 64 bits, little-endian, version 1. */
const IDENT = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] as const;
export const EHDR_AT = 16;

/** More are not in any file that a linker makes. */
const MOST_HEADERS = 100;

export type Elf = File & { readonly header: Ehdr; readonly segments: readonly Phdr[] };

/** Throws an Error that begins with the file's name for all but a file of this type for `arch`. */
export function parseElf(file: File, arch: Arch, type: keyof typeof ET): Elf {
  const { name, bytes } = file;
  if (IDENT.some((byte, at) => bytes[at] !== byte)) {
    throw new Error(`${name}: no 64-bit little-endian ELF file`);
  }
  const header = read(file, EHDR, EHDR_AT);
  if (header.e_type !== ET[type]) {
    throw new Error(`${name}: e_type is ${header.e_type}, want ${ET[type]} (ET_${type})`);
  }
  if (header.e_machine !== EM[arch]) {
    throw new Error(`${name}: e_machine is ${header.e_machine}, want ${EM[arch]} (${arch})`);
  }
  if (header.e_phentsize !== sizeOf(PHDR) || header.e_phnum > MOST_HEADERS) {
    throw new Error(`${name}: ${header.e_phnum} program headers of ${header.e_phentsize} bytes`);
  }
  const segments = Array.from({ length: header.e_phnum }, (_, index) =>
    read(file, PHDR, header.e_phoff + index * sizeOf(PHDR)),
  );
  for (const segment of segments) checkSegment(file, segment);
  return { ...file, header, segments };
}

/** Addresses and sizes are small enough to be added. */
function checkSegment({ name, bytes }: File, segment: Phdr): void {
  const { p_offset, p_vaddr, p_filesz, p_memsz } = segment;
  const inFile = p_offset + p_filesz <= bytes.length;
  if (!inFile || !Number.isSafeInteger(p_vaddr + p_memsz) || p_filesz > p_memsz) {
    throw new Error(
      `${name}: a segment of ${p_filesz} bytes at ${p_offset}, ${p_memsz} bytes in memory at ${p_vaddr}`,
    );
  }
}

/** The one segment of a type. */
export function segmentOf(elf: Elf, type: keyof typeof PT): Phdr {
  const [segment, ...more] = elf.segments.filter(({ p_type }) => p_type === PT[type]);
  if (segment === undefined) throw new Error(`${elf.name}: no PT_${type}`);
  if (more.length > 0) throw new Error(`${elf.name}: ${more.length + 1} PT_${type}`);
  return segment;
}

/** What is mapped, in the order of addresses. */
export function loadsOf(elf: Elf): readonly Phdr[] {
  const loads = elf.segments
    .filter(({ p_type }) => p_type === PT.LOAD)
    .toSorted((one, other) => one.p_vaddr - other.p_vaddr);
  if (loads.length === 0) throw new Error(`${elf.name}: no PT_LOAD`);
  return loads;
}

/** Where in the file the byte is that will be at `address`. */
export function offsetOf(elf: Elf, address: number): number {
  for (const { p_vaddr, p_filesz, p_offset } of loadsOf(elf)) {
    if (address >= p_vaddr && address < p_vaddr + p_filesz) return address - p_vaddr + p_offset;
  }
  throw new Error(`${elf.name}: address ${address} is in no segment`);
}

/** Longer than a path or a name in these files ever is. */
const LONGEST_TEXT = 256;

/** The text that ends with a NUL. */
export function textAt({ name, bytes }: File, offset: number): string {
  const end = bytes.subarray(offset, offset + LONGEST_TEXT).indexOf(0);
  if (end < 0) throw new Error(`${name}: text at ${offset} has no end`);
  return String.fromCharCode(...bytes.subarray(offset, offset + end));
}

/** The dynamic section up to DT_NULL, each entry with its offset in the file. */
export function dynamicOf(
  elf: Elf,
): readonly Readonly<{ tag: number; value: number; at: number }>[] {
  const { p_offset, p_filesz } = segmentOf(elf, "DYNAMIC");
  const entries = [];
  for (let at = p_offset; at + sizeOf(DYN) <= p_offset + p_filesz; at += sizeOf(DYN)) {
    const { d_tag: tag, d_val: value } = read(elf, DYN, at);
    if (tag === 0) return entries;
    entries.push({ tag, value, at });
  }
  throw new Error(`${elf.name}: the dynamic section has no end`);
}
