// What a compiled executable needs of glibc, by the names that Debian's libc6 has.
import type { Arch } from "../linux/arch.ts";

export type Glibc = {
  /** The folder of libc6 that all of it is in. */
  readonly folder: string;
  readonly loader: string;
  readonly libraries: readonly string[];
};

const LIBRARIES = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];

export const GLIBC: Readonly<Record<Arch, Glibc>> = {
  x86_64: {
    folder: "lib/x86_64-linux-gnu",
    loader: "ld-linux-x86-64.so.2",
    libraries: LIBRARIES,
  },
  arm64: {
    folder: "lib/aarch64-linux-gnu",
    loader: "ld-linux-aarch64.so.1",
    libraries: LIBRARIES,
  },
};
