// The first bytes of a file that may be on a disk, or the host's, or of a disk itself: off the event loop.
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import { O, openFlagsFor } from "../linux/open-flags.ts";
import { arch } from "./native.ts";

/**
 * Up to `most` bytes; undefined: there is no such file. Throws an Error for what cannot be read, and for
 * what is no file: to open a FIFO or a device would do something.
 */
export function readFileStart(path: string, most: number): Promise<Uint8Array | undefined> {
  return readStart(path, most, "a regular file", (status) => status.isFile());
}

/** The same of a block device. */
export function readDiskStart(path: string, most: number): Promise<Uint8Array | undefined> {
  return readStart(path, most, "a disk", (status) => status.isBlockDevice());
}

async function readStart(
  path: string,
  most: number,
  wanted: string,
  isWanted: (status: Stats) => boolean,
): Promise<Uint8Array | undefined> {
  try {
    await using found = await open(path, openFlagsFor(arch, O.PATH | O.CLOEXEC));
    if (!isWanted(await found.stat())) throw new Error(`${path} is not ${wanted}`);
    await using file = await open(`/proc/self/fd/${found.fd}`, O.RDONLY | O.CLOEXEC);
    const buffer = new Uint8Array(most);
    let length = 0;
    while (length < most) {
      const { bytesRead } = await file.read(buffer, length, most - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
