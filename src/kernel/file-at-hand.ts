// A file that the kernel has in memory already, read at once: no disk and no server is waited for.
import { AT_FDCWD, RESOLVE } from "../linux/constants.ts";
import type { Call } from "../linux/call.ts";
import { openInRoot, openKnown, openat } from "../linux/fs.ts";
import { preadNow } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { Fd } from "./fd.ts";
import { isOnDisk, isRegularFile } from "./file.ts";
import { attempt } from "./perform.ts";

/**
 * Its text, if it is on a disk of the guest, at hand as a whole, and not longer than `most` bytes. `path` is
 * looked for inside `root`. Kernels before Linux 5.12 cannot be asked: nothing is at hand there.
 */
export function readAtHand(root: string | Fd, path: string, most: number): string | undefined {
  if (typeof root === "string") {
    using directory = opened(openKnown(root, O.PATH));
    return directory && readAtHand(directory, path, most);
  }
  using place = opened(openInRoot(root.number, path, O.PATH, 0, RESOLVE.CACHED));
  if (place === undefined || !isOnDisk(place) || !isRegularFile(place)) return undefined;
  using file = opened(openat(AT_FDCWD, `/proc/self/fd/${place.number}`, O.RDONLY));
  return file && textAtHand(file, most);
}

function opened(open: Call): Fd | undefined {
  const number = attempt(open);
  return number < 0 ? undefined : new Fd(number);
}

const CHUNK = new Uint8Array(16 << 10);

function textAtHand(file: Fd, most: number): string | undefined {
  const decoder = new TextDecoder();
  let text = "";
  for (let offset = 0; offset <= most;) {
    const count = attempt(preadNow(file.number, CHUNK, offset));
    if (count < 0) return undefined;
    if (count === 0) return text + decoder.decode();
    text += decoder.decode(CHUNK.subarray(0, count), { stream: true });
    offset += count;
  }
  return undefined;
}
