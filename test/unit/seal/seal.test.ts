import { describe, expect, test } from "bun:test";
import { type Elf, loadsOf, offsetOf, parseElf, textAt } from "../../../src/seal/elf.ts";
import { ENTRY_CODE } from "../../../src/seal/entry-code.ts";
import {
  neededLibraries,
  stringTable,
  versionedLibraries,
} from "../../../src/seal/library-names.ts";
import { seal } from "../../../src/seal/seal.ts";
import { sectionsOf } from "../../../src/seal/sections.ts";
import { PHDR, read, sizeOf } from "../../../src/seal/struct.ts";
import { BASE, PROGRAM, smallElf } from "../../support/small-elf.ts";

const LOADER = "ld-small.so.1";
const NEEDED = ["libc.so.6", "libm.so.6"];

const executable = smallElf({
  arch: "x86_64",
  interpreter: `/lib/${LOADER}`,
  needed: [...NEEDED, LOADER],
});
const loader = smallElf({ arch: "x86_64", soname: LOADER });
const libraries = NEEDED.map((name) => ({
  name,
  bytes: smallElf({ arch: "x86_64", soname: name, needed: [LOADER] }),
}));
const given = { arch: "x86_64", loader, libraries } as const;

function sealed(): Elf {
  return parseElf({ name: "sealed", bytes: seal(executable, given) }, "x86_64", "EXEC");
}

/** The entry code, from which all places in the segment are counted. */
function segmentOf(elf: Elf) {
  const last = loadsOf(elf).at(-1);
  if (last === undefined) throw new Error("no segment");
  return last;
}

describe("a sealed executable", () => {
  test("has nothing by which the kernel or a tool would look for a loader", () => {
    expect(sealed().segments.map(({ p_type }) => p_type)).toEqual([1, 1]);
  });

  test("starts with the entry code, in a segment that cannot be written", () => {
    const elf = sealed();
    const { p_vaddr, p_offset, p_filesz, p_memsz, p_flags } = segmentOf(elf);
    expect(elf.header.e_entry).toBe(p_vaddr);
    const code = Buffer.from(ENTRY_CODE.x86_64, "base64");
    expect(Buffer.from(elf.bytes.subarray(p_offset, p_offset + code.length))).toEqual(code);
    expect({ p_flags, p_memsz }).toEqual({ p_flags: 5, p_memsz: p_filesz });
    expect([p_vaddr % 0x1000, p_offset % 0x1000, p_filesz % 0x1000]).toEqual([0, 0, 0]);
  });

  test("names a path of a descriptor where it named a library, for the loader and its version check", () => {
    const elf = sealed();
    const strings = stringTable(executableElf());
    const paths = [...neededLibraries(executableElf()), ...versionedLibraries(executableElf())].map(
      ({ name, at, width }) => {
        const view = new DataView(elf.bytes.buffer);
        const offset = width === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
        return [name, textAt(elf, offsetOf(elf, strings + offset))];
      },
    );
    const each = [...NEEDED.map((name) => [name, "/proc/self/fd/"]), [LOADER, LOADER]];
    expect(paths).toEqual([...each, ...each]);
  });

  test("keeps its program headers for the loader, with PT_PHDR where they now are", () => {
    const elf = sealed();
    const { p_vaddr, p_offset } = segmentOf(elf);
    const plan = planOf(elf);
    const at = plan.headers;
    const headers = executableElf().segments.map((_, index) =>
      read(elf, PHDR, p_offset + at + index * sizeOf(PHDR)),
    );
    const [own, ...rest] = executableElf().segments;
    const place = { p_vaddr: p_vaddr + at, p_paddr: p_vaddr + at, p_offset: p_offset + at };
    expect(headers).toEqual([{ ...own, ...place } as (typeof headers)[number], ...rest]);
    expect(plan.headerCount).toBe(headers.length);
  });

  test("tells the entry code where the executable, the loader and the libraries are", () => {
    const elf = sealed();
    const { p_offset } = segmentOf(elf);
    const plan = planOf(elf);
    const magic = (at: number) => textAt(elf, p_offset + at).slice(0, 4);
    expect(plan.entry).toBe(BASE + 0x123);
    expect(plan.loaderEntry).toBe(plan.loader + 0x123);
    expect(plan.loader % 0x1000).toBe(0);
    expect([plan.loader, plan.unpacked].map(magic)).toEqual(["\x7fELF", "\x7fELF"]);
    expect(plan.libraryCount).toBe(2);
    expect(plan.rangeCount).toBe(2);
    expect(textAt(elf, p_offset + plan.scrubbed)).toBe("BUN_");
  });

  test("has a loader that looks for no file in the root", () => {
    for (const path of ["/etc/ld.so.preload", "/etc/ld.so.cache"]) {
      expect(Buffer.from(loader).includes(path)).toBe(true);
      expect(Buffer.from(sealed().bytes).includes(path)).toBe(false);
    }
  });

  test("has a section for all that strip must keep, and its old ones", () => {
    const elf = sealed();
    const { p_vaddr, p_offset, p_filesz } = segmentOf(elf);
    const sections = sectionsOf(elf).map(({ name, sh_addr, sh_size }) => [name, sh_addr, sh_size]);
    expect(sections.slice(0, 5).map(([name]) => name)).toEqual([
      "",
      ".dynstr",
      ".dynamic",
      ".bun",
      ".shstrtab",
    ]);
    expect(sections.slice(5)).toEqual([
      [".bun.pointer", BASE + 0x640, 8],
      [".kata", p_vaddr, p_filesz],
    ]);
    expect(textAt(elf, offsetOf(elf, BASE + 0x680))).toBe(PROGRAM);
    expect(p_offset).toBeGreaterThanOrEqual(executable.length);
  });

  test("is the same bytes each time, and the executable stays as it was", () => {
    const before = executable.slice();
    expect(Bun.hash(seal(executable, given))).toBe(Bun.hash(seal(executable, given)));
    expect(executable).toEqual(before);
  });

  test("has room for the largest pages where the architecture has several sizes", () => {
    const arch = "arm64";
    const bytes = seal(smallElf({ arch, interpreter: `/lib/${LOADER}`, needed: ["libc.so.6"] }), {
      arch,
      loader: smallElf({ arch, soname: LOADER }),
      libraries: [{ name: "libc.so.6", bytes: smallElf({ arch, soname: "libc.so.6" }) }],
    });
    const { p_vaddr, p_offset } = segmentOf(parseElf({ name: "sealed", bytes }, arch, "EXEC"));
    expect([p_vaddr % 0x10000, p_offset % 0x10000]).toEqual([0, 0]);
  });
});

function executableElf(): Elf {
  return parseElf({ name: "executable", bytes: executable }, "x86_64", "EXEC");
}

/** The first words of entry.c's `plan`, which stands behind the code. */
const PLAN = [
  ["entry", "u64"],
  ["loader", "u64"],
  ["loaderEntry", "u64"],
  ["headers", "u64"],
  ["headerCount", "u64"],
  ["scrubbed", "u64"],
  ["unpacked", "u64"],
  ["unpackedSize", "u64"],
  ["rangeCount", "u64"],
  ["libraryCount", "u64"],
] as const;

function planOf(elf: Elf) {
  const code = Buffer.from(ENTRY_CODE.x86_64, "base64").length;
  return read(elf, PLAN, segmentOf(elf).p_offset + code);
}
