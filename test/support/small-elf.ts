// ELF files of a few hundred bytes, as far as sealing reads them; they cannot run.
import type { Arch } from "../../src/linux/arch.ts";
import { DYN, EHDR, PHDR, SHDR, VERNEED, sizeOf, write } from "../../src/seal/struct.ts";

type Description = {
  readonly arch: Arch;
  /** An executable, with a program of Bun's inside, if it has a loader; else a library. */
  readonly interpreter?: string;
  readonly soname?: string;
  readonly needed?: readonly string[];
  /** How many words outside all sections point to the program. */
  readonly pointers?: number;
};

/** Where the executable is linked to; a library is linked to 0. */
export const BASE = 0x200000;
export const PROGRAM = "the program";

/** Offset by offset, everything has a place of its own. */
const AT = {
  phdr: 0x40,
  interpreter: 0x200,
  strings: 0x240,
  versions: 0x400,
  paths: 0x480,
  dynamic: 0x500,
  word: 0x640,
  program: 0x680,
  names: 0x700,
  sections: 0x780,
  end: 0xa00,
} as const;

/** Of files that a loader reads. */
const PATHS = "\0/etc/ld.so.preload\0/etc/ld.so.cache\0";

const NAMES = "\0.dynstr\0.dynamic\0.bun\0.shstrtab\0";

export function smallElf(description: Description): Uint8Array<ArrayBuffer> {
  const { arch, interpreter, soname, pointers = interpreter === undefined ? 0 : 1 } = description;
  const base = interpreter === undefined ? 0 : BASE;
  const bytes = new Uint8Array(AT.end);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const segments = segmentsOf(base, interpreter);
  write(bytes, EHDR, 16, {
    e_type: interpreter === undefined ? 3 : 2,
    e_machine: arch === "x86_64" ? 62 : 183,
    e_version: 1,
    e_entry: base + 0x123,
    e_phoff: AT.phdr,
    e_shoff: AT.sections,
    e_flags: 0,
    e_ehsize: 64,
    e_phentsize: sizeOf(PHDR),
    e_phnum: segments.length,
    e_shentsize: sizeOf(SHDR),
    e_shnum: 5,
    e_shstrndx: 4,
  });
  for (const [index, segment] of segments.entries()) {
    write(bytes, PHDR, AT.phdr + index * sizeOf(PHDR), segment);
  }
  writeText(bytes, AT.interpreter, `${interpreter ?? ""}\0`);
  writeDynamic(bytes, base, description);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < pointers; index++) {
    view.setBigUint64(AT.word + index * 8, BigInt(base + AT.program), true);
  }
  if (soname?.startsWith("ld-")) writeText(bytes, AT.paths, PATHS);
  writeText(bytes, AT.program, PROGRAM);
  writeText(bytes, AT.names, NAMES);
  writeSections(bytes, base);
  return bytes;
}

function segmentsOf(base: number, interpreter: string | undefined) {
  const segment = (p_type: number, offset: number, size: number) => ({
    p_type,
    p_flags: 6,
    p_offset: offset,
    p_vaddr: base + offset,
    p_paddr: base + offset,
    p_filesz: size,
    p_memsz: size,
    p_align: 0x1000,
  });
  return [
    ...(interpreter === undefined
      ? []
      : [segment(6, AT.phdr, 0x100), segment(3, AT.interpreter, interpreter.length + 1)]),
    segment(1, 0, AT.names),
    segment(2, AT.dynamic, AT.word - AT.dynamic),
  ];
}

function writeDynamic(bytes: Uint8Array, base: number, { soname, needed = [] }: Description) {
  let strings = "\0";
  const add = (text: string): number => {
    strings += `${text}\0`;
    return strings.length - text.length - 1;
  };
  const names = needed.map(add);
  const entries = [
    ...names.map((at) => [1, at] as const),
    ...(soname === undefined ? [] : [[14, add(soname)] as const]),
    [5, base + AT.strings] as const,
    [0x6ffffffe, base + AT.versions] as const,
    [0x6fffffff, names.length] as const,
    [0, 0] as const,
  ];
  writeText(bytes, AT.strings, strings);
  for (const [index, [d_tag, d_val]] of entries.entries()) {
    write(bytes, DYN, AT.dynamic + index * sizeOf(DYN), { d_tag, d_val });
  }
  for (const [index, vn_file] of names.entries()) {
    const vn_next = index === names.length - 1 ? 0 : sizeOf(VERNEED);
    const need = { vn_version: 1, vn_cnt: 0, vn_file, vn_aux: 0, vn_next };
    write(bytes, VERNEED, AT.versions + index * sizeOf(VERNEED), need);
  }
}

function writeSections(bytes: Uint8Array, base: number) {
  const sections = [
    ["", 0, 0, 0, 0],
    [".dynstr", 3, 2, AT.interpreter, AT.versions],
    [".dynamic", 6, 3, AT.versions, AT.word],
    [".bun", 1, 3, AT.program, AT.names],
    [".shstrtab", 3, 0, AT.names, AT.sections],
  ] as const;
  for (const [index, [name, sh_type, sh_flags, start, end]] of sections.entries()) {
    write(bytes, SHDR, AT.sections + index * sizeOf(SHDR), {
      sh_name: index === 0 ? 0 : NAMES.indexOf(`${name}\0`),
      sh_type,
      sh_flags,
      sh_addr: sh_flags === 0 ? 0 : base + start,
      sh_offset: start,
      sh_size: end - start,
      sh_link: 0,
      sh_info: 0,
      sh_addralign: 8,
      sh_entsize: 0,
    });
  }
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}
