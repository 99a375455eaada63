#!/usr/bin/env bash
# Make the entry code's bytes from its source: assemble.sh [FILE]. FILE is entry-code.ts unless given.
# The build has no need of a compiler then. Only whoever changes the source does: Debian's gcc,
# linux-libc-dev, gcc-aarch64-linux-gnu and linux-libc-dev-arm64-cross.
set -euo pipefail
shopt -s inherit_errexit

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$folder/entry-code.ts}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# assemble ARCH PREFIX FLAGS...: the bytes, as base64.
assemble() {
  local arch=$1 prefix=$2
  shift 2
  "${prefix}gcc" -std=gnu11 -Wall -Wextra -Werror -Os -ffreestanding -fpic -fvisibility=hidden \
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
    -mgeneral-regs-only "$@" -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments \
    -Wl,-T,"$folder/entry.ld" -o "$scratch/entry" "$folder/entry-$arch.S" "$folder/entry.c"
  "${prefix}objcopy" -O binary -j .entry "$scratch/entry" "$scratch/bytes"
  base64 --wrap=0 "$scratch/bytes"
}

x86_64=$(assemble x86_64 x86_64-linux-gnu- -fcf-protection=none)
# The tiny model reaches all by adr, which unlike adrp asks for no alignment.
arm64=$(assemble arm64 aarch64-linux-gnu- -mcmodel=tiny -mbranch-protection=none)

cat >"$out" <<EOF
// Made by assemble.sh from entry.c, entry-x86_64.S and entry-arm64.S. Never edited.
import type { Arch } from "../linux/arch.ts";

/** Another compiler makes other bytes of the same source. */
export const COMPILER = "gcc $(x86_64-linux-gnu-gcc -dumpfullversion)";

/** The code that the kernel starts a sealed executable with, as base64. */
export const ENTRY_CODE: Readonly<Record<Arch, string>> = {
  x86_64:
    "$x86_64",
  arm64:
    "$arm64",
};
EOF
