// open(2) flags. The values are x86_64's; four bits sit elsewhere on arm64 and are moved when a call
// is encoded (arch/arm64/include/uapi/asm/fcntl.h).
import type { Arch } from "./arch.ts";

/** include/uapi/asm-generic/fcntl.h */
export const O = {
  RDONLY: 0,
  WRONLY: 0o1,
  RDWR: 0o2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECT: 0o40000,
  LARGEFILE: 0o100000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

const ARM64 = [
  [O.DIRECTORY, 0o40000],
  [O.NOFOLLOW, 0o100000],
  [O.DIRECT, 0o200000],
  [O.LARGEFILE, 0o400000],
] as const;

/** The bits that the kernel of `arch` expects for flags written with `O`. */
export function openFlagsFor(arch: Arch, flags: number): number {
  if (arch === "x86_64") return flags;
  let rest = flags;
  let moved = 0;
  for (const [ours, theirs] of ARM64) {
    if ((flags & ours) === 0) continue;
    rest &= ~ours;
    moved |= theirs;
  }
  return rest | moved;
}
