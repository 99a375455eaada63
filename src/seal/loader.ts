// The loader, ld.so, as it lies in memory before its first instruction. The kernel maps an interpreter
// segment by segment; ours is part of one segment, and so is unfolded here.
import { alignDown, alignUp } from "./align.ts";
import { type Elf, PF, loadsOf } from "./elf.ts";

/** Memory in whole pages: offset from the start of what is described, and mprotect(2)'s PROT_ bits. */
export type Range = {
  readonly offset: number;
  readonly size: number;
  readonly protection: number;
};

/** asm-generic/mman-common.h. ELF has the same three bits in another order. */
const PROT = { READ: 1, WRITE: 2, EXEC: 4 } as const;
export const PROT_READ_WRITE = PROT.READ | PROT.WRITE;

/** glibc's has a quarter of a megabyte. */
const LARGEST_LOADER = 16 * 2 ** 20;

/**
 * What a loader reads of the root it finds itself in: libraries to load before all others, and where
 * others are. No variable turns the first off, and a root that has it is some other program's.
 */
const FORGOTTEN: readonly string[] = ["/etc/ld.so.preload", "/etc/ld.so.cache"];

/** Throws an Error where the loader is not as glibc's are, or where two of its segments want one page, of `page` bytes, protected differently. */
export function unfoldLoader(loader: Elf, page: number) {
  const loads = loadsOf(loader);
  const size = Math.max(...loads.map(({ p_vaddr, p_memsz }) => alignUp(p_vaddr + p_memsz, page)));
  if (size > LARGEST_LOADER) throw new Error(`${loader.name}: ${size} bytes in memory`);
  const bytes = new Uint8Array(size);
  const ranges: Range[] = [];
  let free = 0;
  for (const { p_vaddr, p_memsz, p_offset, p_filesz, p_flags } of loads) {
    const offset = alignDown(p_vaddr, page);
    if (offset < free) throw new Error(`${loader.name}: two segments in the page at ${offset}`);
    free = alignUp(p_vaddr + p_memsz, page);
    bytes.set(loader.bytes.subarray(p_offset, p_offset + p_filesz), p_vaddr);
    ranges.push({ offset, size: free - offset, protection: protectionOf(p_flags) });
  }
  for (const path of FORGOTTEN) forget(loader.name, bytes, path);
  return { bytes, ranges, entry: loader.header.e_entry };
}

/** In place of the path an empty one, which is no file's. */
function forget(name: string, bytes: Uint8Array, path: string): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = `\0${path}\0`;
  const at = view.indexOf(text);
  if (at < 0 || view.includes(text, at + 1)) throw new Error(`${name}: want ${path} in it, once`);
  bytes.fill(0, at, at + text.length);
}

function protectionOf(flags: number): number {
  return (
    (flags & PF.R ? PROT.READ : 0) |
    (flags & PF.W ? PROT.WRITE : 0) |
    (flags & PF.X ? PROT.EXEC : 0)
  );
}
