// The structures of an ELF file, by the names that elf(5) gives them: read and written in place.

const WIDTHS = { u16: 2, u32: 4, u64: 8 } as const;

export type Layout = readonly (readonly [name: string, width: keyof typeof WIDTHS])[];
export type Fields<Of extends Layout> = { readonly [Field in Of[number] as Field[0]]: number };

/** Bytes, and what errors call them. */
export type File = { readonly name: string; readonly bytes: Uint8Array };

/** Elf64_Ehdr, from behind its 16 bytes of e_ident. */
export const EHDR = [
  ["e_type", "u16"],
  ["e_machine", "u16"],
  ["e_version", "u32"],
  ["e_entry", "u64"],
  ["e_phoff", "u64"],
  ["e_shoff", "u64"],
  ["e_flags", "u32"],
  ["e_ehsize", "u16"],
  ["e_phentsize", "u16"],
  ["e_phnum", "u16"],
  ["e_shentsize", "u16"],
  ["e_shnum", "u16"],
  ["e_shstrndx", "u16"],
] as const satisfies Layout;

export const PHDR = [
  ["p_type", "u32"],
  ["p_flags", "u32"],
  ["p_offset", "u64"],
  ["p_vaddr", "u64"],
  ["p_paddr", "u64"],
  ["p_filesz", "u64"],
  ["p_memsz", "u64"],
  ["p_align", "u64"],
] as const satisfies Layout;

export const SHDR = [
  ["sh_name", "u32"],
  ["sh_type", "u32"],
  ["sh_flags", "u64"],
  ["sh_addr", "u64"],
  ["sh_offset", "u64"],
  ["sh_size", "u64"],
  ["sh_link", "u32"],
  ["sh_info", "u32"],
  ["sh_addralign", "u64"],
  ["sh_entsize", "u64"],
] as const satisfies Layout;

export const DYN = [
  ["d_tag", "u64"],
  ["d_val", "u64"],
] as const satisfies Layout;

export const VERNEED = [
  ["vn_version", "u16"],
  ["vn_cnt", "u16"],
  ["vn_file", "u32"],
  ["vn_aux", "u32"],
  ["vn_next", "u32"],
] as const satisfies Layout;

export type Ehdr = Fields<typeof EHDR>;
export type Phdr = Fields<typeof PHDR>;
export type Shdr = Fields<typeof SHDR>;

/** In bytes. None has padding. */
export function sizeOf(layout: Layout): number {
  return layout.reduce((size, [, width]) => size + WIDTHS[width], 0);
}

/** The structure at offset `at`. Throws an Error where it is not all in the file. */
export function read<Of extends Layout>(file: File, layout: Of, at: number): Fields<Of> {
  const end = at + sizeOf(layout);
  if (!(at >= 0 && end <= file.bytes.length)) {
    throw new Error(
      `${file.name}: ${layout[0]?.[0]} at ${at} is beyond its ${file.bytes.length} bytes`,
    );
  }
  const view = viewOf(file.bytes);
  const fields: Record<string, number> = {};
  let offset = at;
  for (const [name, width] of layout) {
    if (width === "u16") fields[name] = view.getUint16(offset, true);
    else if (width === "u32") fields[name] = view.getUint32(offset, true);
    else fields[name] = Number(view.getBigUint64(offset, true));
    offset += WIDTHS[width];
  }
  return fields as Fields<Of>;
}

/** Writes the structure at offset `at`, where there is room for it. */
export function write<Of extends Layout>(
  bytes: Uint8Array,
  layout: Of,
  at: number,
  fields: Fields<Of>,
): void {
  const view = viewOf(bytes);
  const values: Readonly<Record<string, number>> = fields;
  let offset = at;
  for (const [name, width] of layout) {
    const value = values[name] ?? 0;
    if (width === "u16") view.setUint16(offset, value, true);
    else if (width === "u32") view.setUint32(offset, value, true);
    else view.setBigUint64(offset, BigInt(value), true);
    offset += WIDTHS[width];
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
