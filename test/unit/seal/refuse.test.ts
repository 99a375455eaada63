import { describe, expect, test } from "bun:test";
import type { Arch } from "../../../src/linux/arch.ts";
import { seal } from "../../../src/seal/seal.ts";
import { pick, seeded } from "../../support/random.ts";
import { smallElf } from "../../support/small-elf.ts";

const arch = "x86_64";
const interpreter = "/lib/ld-small.so.1";
const needed = ["libc.so.6"];

const executable = smallElf({ arch, interpreter, needed });
const loader = smallElf({ arch, soname: "ld-small.so.1" });
const libc = smallElf({ arch, soname: "libc.so.6" });

type Changes = {
  readonly executable?: Uint8Array;
  readonly arch?: Arch;
  readonly loader?: Uint8Array;
  readonly libraries?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
};

function sealWith(changes: Changes): Uint8Array {
  const libraries = [{ name: "libc.so.6", bytes: libc }];
  return seal(changes.executable ?? executable, { arch, loader, libraries, ...changes });
}

/** A copy with one byte changed. */
function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  return bytes.with(at, value);
}

const library = (name: string, soname = name) => ({ name, bytes: smallElf({ arch, soname }) });

const REFUSED: readonly (readonly [what: string, changes: Changes, message: string])[] = [
  [
    "an empty file",
    { executable: new Uint8Array() },
    "executable: no 64-bit little-endian ELF file",
  ],
  [
    "a 32-bit file",
    { executable: patched(executable, 4, 1) },
    "executable: no 64-bit little-endian ELF file",
  ],
  [
    "a file that ends in its header",
    { loader: loader.slice(0, 40) },
    "loader: e_type at 16 is beyond its 40 bytes",
  ],
  [
    "a position-independent executable",
    { executable: patched(executable, 16, 3) },
    "executable: e_type is 3, want 2 (ET_EXEC)",
  ],
  [
    "an executable of another architecture",
    { executable: smallElf({ arch: "arm64", interpreter, needed }) },
    "executable: e_machine is 183, want 62 (x86_64)",
  ],
  [
    "a library of another architecture",
    { libraries: [{ name: "libc.so.6", bytes: smallElf({ arch: "arm64", soname: "libc.so.6" }) }] },
    "libc.so.6: e_machine is 183, want 62 (x86_64)",
  ],
  [
    "an executable for a loader",
    { executable: loader },
    "executable: e_type is 3, want 2 (ET_EXEC)",
  ],
  ["what is sealed already", { executable: sealWith({}) }, "executable: no PT_INTERP"],
  [
    "another loader than the executable's",
    { loader: smallElf({ arch, soname: "ld-other.so.1" }) },
    `executable: its loader is ${interpreter}, not ld-other.so.1`,
  ],
  [
    "a loader that names no file of libraries to load first",
    { loader: patched(loader, Buffer.from(loader).indexOf("/etc/ld.so.preload"), 0) },
    "loader: want /etc/ld.so.preload in it, once",
  ],
  ["a library too few", { libraries: [] }, "executable: needs libc.so.6, which is not given"],
  [
    "a library that needs one more",
    {
      libraries: [
        {
          name: "libc.so.6",
          bytes: smallElf({ arch, soname: "libc.so.6", needed: ["libx.so.1"] }),
        },
      ],
    },
    "libc.so.6: needs libx.so.1, which is not given",
  ],
  [
    "a library under another name",
    { libraries: [library("libc.so.6", "libm.so.6")] },
    "libc.so.6: its soname is libm.so.6",
  ],
  [
    "more libraries than the entry code has room for",
    { libraries: ["libc.so.6", "b", "c", "d", "e"].map((name) => library(name)) },
    "5 libraries: entry.c has room for 4",
  ],
  [
    "an executable that lost the word for its program",
    { executable: smallElf({ arch, interpreter, needed, pointers: 0 }) },
    "executable: 0 words outside all sections point to .bun",
  ],
  [
    "an executable with two such words",
    { executable: smallElf({ arch, interpreter, needed, pointers: 2 }) },
    "executable: 2 words outside all sections point to .bun",
  ],
];

describe("sealing", () => {
  test.each(REFUSED)("refuses %s", (_, changes, message) => {
    expect(() => sealWith(changes)).toThrow(new Error(message));
  });

  test("refuses an executable that Bun did not compile", () => {
    const name = executable.findIndex((_, at) =>
      Buffer.from(executable.subarray(at, at + 5)).equals(Buffer.from(".bun\0")),
    );
    expect(() => sealWith({ executable: patched(executable, name + 1, 0x42) })).toThrow(
      "executable: no section .bun, which Bun makes",
    );
  });

  test("reads any bytes without a fault of its own: they pass, or an error names the file", () => {
    const random = seeded(20);
    const files = [executable, loader, libc] as const;
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const file = pick(random, files);
      const bytes = damaged(random, file);
      const changes =
        file === executable
          ? { executable: bytes }
          : file === loader
            ? { loader: bytes }
            : { libraries: [{ name: "libc.so.6", bytes }] };
      try {
        sealWith(changes);
      } catch (error) {
        refused++;
        expect(String(error)).toMatch(
          /^Error: (executable|loader|libc\.so\.6): |^Error: \d+ ranges/,
        );
      }
    }
    expect(refused).toBeGreaterThan(500);
  });
});

/** Some bytes of the parts that have structure changed, or the end cut off. */
function damaged(random: () => number, bytes: Uint8Array): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  const copy = bytes.slice();
  for (let count = 1 + below(4); count > 0; count--) {
    const field = below(copy.length / 8) * 8;
    copy[field + below(8)] = pick(random, [0, 1, 0x7f, 0xff, below(256)]);
  }
  return random() < 0.1 ? copy.slice(0, below(copy.length)) : copy;
}
