// How full a file system is: statfs(2), off the event loop, for the disk or the host may not answer.
import { statfs } from "node:fs/promises";

/** In units of bytes, and of inodes. `free` is what root may use. */
export type Space = {
  readonly bytes: { readonly total: number; readonly free: number };
  readonly inodes: { readonly total: number; readonly free: number };
};

/** Throws an Error with the errno's name. */
export async function spaceOf(path: string): Promise<Space> {
  const { bsize, blocks, bfree, files, ffree } = await statfs(path);
  return {
    bytes: { total: blocks * bsize, free: bfree * bsize },
    inodes: { total: files, free: ffree },
  };
}
