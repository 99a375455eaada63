// A small program that tells what it was started with, sealed with this machine's own glibc: the entry
// code does to it what it does to the agent.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Arch } from "../../src/linux/arch.ts";
import { parseElf } from "../../src/seal/elf.ts";
import { GLIBC } from "../../src/seal/glibc.ts";
import { seal } from "../../src/seal/seal.ts";
import { sectionsOf } from "../../src/seal/sections.ts";
import { SHDR, sizeOf, write } from "../../src/seal/struct.ts";

const arch: Arch = process.arch === "arm64" ? "arm64" : "x86_64";

/** Bun's own way to find its program, which sealing asks for: a word that no section covers. */
const SOURCE = `
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
extern char **environ;
static char program[] __attribute__((section(".bun"), used)) = "program";
static char *pointer __attribute__((section(".pointer"), used)) = program;
int main(int argc, char **argv) {
  char **variable = environ;
  int each;
  for (; *variable; variable++) printf("variable %s\\n", *variable);
  for (each = 1; each < argc; each++) printf("argument %s\\n", argv[each]);
  for (each = 0; each < 1000; each++)
    if (fcntl(each, F_GETFD) >= 0) printf("descriptor %d\\n", each);
  printf("libc %s\\n", dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD) ? "is loaded" : "is not found");
  printf("root %g\\n", sqrt(argc > 1 ? atof(argv[1]) : 4));
  return 0;
}
`;

/** The path of the program, in a directory that goes with the object. */
export class SealedProbe implements Disposable {
  readonly path: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, "probe");
  }

  static async make(): Promise<SealedProbe> {
    const probe = new SealedProbe(mkdtempSync(join(tmpdir(), "kata-agent-probe-")));
    const plain = `${probe.path}-plain`;
    const flags = [
      "-w",
      "-O1",
      "-no-pie",
      "-Wl,--no-as-needed",
      "-x",
      "c",
      "-o",
      plain,
      "-",
      "-lm",
    ];
    const { success, stderr } = Bun.spawnSync(["cc", ...flags], { stdin: Buffer.from(SOURCE) });
    if (!success) throw new Error(stderr.toString());
    writeFileSync(probe.path, await sealed(plain));
    chmodSync(probe.path, 0o755);
    return probe;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

async function sealed(path: string): Promise<Uint8Array> {
  const bytes = await Bun.file(path).bytes();
  const elf = parseElf({ name: path, bytes }, arch, "EXEC");
  const index = sectionsOf(elf).findIndex(({ name }) => name === ".pointer");
  const header = sectionsOf(elf)[index];
  if (header === undefined) throw new Error(`${path}: no section .pointer`);
  write(bytes, SHDR, elf.header.e_shoff + index * sizeOf(SHDR), { ...header, sh_type: 0 });
  const { folder, loader } = GLIBC[arch];
  const part = (name: string) => Bun.file(join("/", folder, name)).bytes();
  return seal(bytes, {
    arch,
    loader: await part(loader),
    libraries: await Promise.all(
      ["libc.so.6", "libm.so.6"].map(async (name) => ({ name, bytes: await part(name) })),
    ),
  });
}
