// The border to native code: libc by bun:ffi, and player.c compiled at start. Nothing else in the
// agent calls native functions.
import { FFIType, cc, dlopen, linkSymbols, ptr, toArrayBuffer } from "bun:ffi";
import type { Arch } from "../linux/arch.ts";
import { MFD } from "../linux/constants.ts";
import playerSource from "../tape/player.c" with { type: "text" };

/** A C long, as a number: none that comes back is beyond 2^53. */
const long = FFIType.i64_fast;

/** The architecture this process runs on. */
export const arch: Arch = process.arch === "arm64" ? "arm64" : "x86_64";

const libc = dlopen("libc.so.6", {
  dlsym: { args: ["ptr", "cstring"], returns: "ptr" },
  __errno_location: { args: [], returns: "ptr" },
  memfd_create: { args: ["cstring", "u32"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: long },
  close: { args: ["i32"], returns: "i32" },
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
  setenv: { args: ["cstring", "cstring", "i32"], returns: "i32" },
}).symbols;

/**
 * Bun has a thread for each processor, and two at least, to read files with off the event loop. So many that
 * wait for a file system that does not answer would hold up all who read files. They are begun as they are
 * needed.
 */
const THREADS = 64;
setEnvironment("UV_THREADPOOL_SIZE", String(THREADS));

/** Of player.c's functions and of its data. */
const addresses = new BigUint64Array(3);
const errnoAt = libc.__errno_location();
const player = compilePlayer();
player.setup(libc.dlsym(null, cstring("syscall")), errnoAt, ptr(addresses));
const [performAt = 0n, launchAt = 0n, dataAt = 0n] = addresses;

/** `performRaw` gives a call's result or the errno negated; `launchRaw` is player.c's `launch`. */
export const { perform: performRaw, launch: launchRaw } = linkSymbols({
  perform: { args: [long, long, long, long, long, long, long], returns: long, ptr: performAt },
  launch: { args: [long, long, long], returns: long, ptr: launchAt },
}).symbols;

/** Addresses that a child of the player needs: its code, its data and errno. */
export const neededByChildren: readonly number[] = [launchAt, dataAt, errnoAt].map(Number);

/**
 * The compiler makes a wrapper for each function that it is asked for: it takes half a millisecond, and
 * a call by it a microsecond more than one by address. So there is one, which gives the addresses.
 * A memory file, since the compiler wants a path, also where no file system can be written.
 */
function compilePlayer() {
  // Bun would first write headers, which nothing here includes, to the guest's temporary directory.
  setEnvironment("BUN_TMPDIR", "/dev/null");
  const source = Buffer.from(playerSource);
  const fd = libc.memfd_create(cstring("player.c"), MFD.CLOEXEC);
  if (fd < 0) throw new Error("memfd_create of the player's source");
  try {
    if (Number(libc.write(fd, ptr(source), source.length)) !== source.length) {
      throw new Error("write of the player's source");
    }
    return cc({
      source: `/proc/self/fd/${fd}`,
      // No libc development files are needed: system calls come in as a pointer.
      flags: ["-nostdlib"],
      symbols: { setup: { args: ["ptr", "ptr", "ptr"], returns: "void" } },
    }).symbols;
  } finally {
    libc.close(fd);
  }
}

/** What Bun reads of the environment itself; `process.env` is a copy. */
function setEnvironment(name: string, value: string): void {
  if (libc.setenv(cstring(name), cstring(value), 1) !== 0) throw new Error(`set ${name}`);
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The address of a buffer's first byte. Valid while the buffer is alive. */
export function addressOf(bytes: NodeJS.TypedArray): number {
  return bytes.byteLength === 0 ? 0 : ptr(bytes);
}

/** At an address that never changes. */
export type MappedMemory = {
  readonly address: number;
  /** Its first bytes. To the collector all of them are garbage to come: ask for no more than is used. */
  readonly view: (bytes: number) => Uint8Array;
};

/** Private zeroed memory outside the JavaScript heap. */
export function mapMemory(bytes: number): MappedMemory {
  const PROT_READ_WRITE = 3;
  const MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x2 | 0x20 | 0x4000;
  const address = libc.mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
  if (address === null || address < 0) throw new Error(`mmap of ${bytes} bytes`);
  const view = (wanted: number) => new Uint8Array(toArrayBuffer(address, 0, wanted));
  return { address: Number(address), view };
}
