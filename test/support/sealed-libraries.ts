// What is folded into a sealed executable, found by looking at its bytes.
import type { Arch } from "../../src/linux/arch.ts";
import { type Elf, loadsOf, parseElf } from "../../src/seal/elf.ts";
import { GLIBC } from "../../src/seal/glibc.ts";
import { sonameOf } from "../../src/seal/library-names.ts";

export type Folded = { readonly name: string; readonly bytes: Uint8Array };

const MAGIC = "\x7fELF";
/** Each begins at a multiple of it. */
const ALIGNMENT = 8;

/**
 * The libraries, as they are, in the last segment of the executable: all that is an ELF file there and
 * ends with its section headers, but for the loader, which lies there as it is in memory.
 */
export function librariesIn(executable: Uint8Array, arch: Arch): readonly Folded[] {
  const own = loadsOf(parseElf({ name: "executable", bytes: executable }, arch, "EXEC")).at(-1);
  if (own === undefined) throw new Error("no segment");
  const segment = Buffer.from(executable.subarray(own.p_offset, own.p_offset + own.p_filesz));
  const found: Folded[] = [];
  for (let at = 0; (at = segment.indexOf(MAGIC, at, "latin1")) >= 0; at += ALIGNMENT) {
    const library = at % ALIGNMENT === 0 ? libraryAt(segment.subarray(at), arch) : undefined;
    if (library !== undefined && library.name !== GLIBC[arch].loader) found.push(library);
  }
  return found;
}

function libraryAt(bytes: Uint8Array, arch: Arch): Folded | undefined {
  let elf: Elf;
  let name: string;
  try {
    elf = parseElf({ name: "folded", bytes }, arch, "DYN");
    name = sonameOf(elf);
  } catch (error) {
    // The magic itself is a constant of the loader's.
    if (error instanceof Error) return undefined;
    throw error;
  }
  const { e_shoff, e_shnum, e_shentsize } = elf.header;
  return { name, bytes: bytes.subarray(0, e_shoff + e_shnum * e_shentsize) };
}
