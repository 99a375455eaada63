// The texts of files that programs of the guest leave in a directory for others.
import { lstat, open, readdir, stat } from "node:fs/promises";
import { constants } from "node:fs";

export type SmallFile = { readonly path: string; readonly text: string };

/** Of all files together, and of directories in one another. */
export type SmallFileLimits = {
  readonly files: number;
  readonly bytes: number;
  readonly depth: number;
};

/**
 * Those below `directory` whose names match, in the order of their paths; none where there is no such
 * directory. Off the event loop. A file may be a link; a directory may not. Throws an Error, also for more
 * than `limits`.
 */
export async function filesBelow(
  directory: string,
  name: RegExp,
  limits: SmallFileLimits,
): Promise<readonly SmallFile[]> {
  const paths = await pathsBelow(directory, name, limits.depth);
  if (paths.length > limits.files) {
    throw new Error(`${directory} has more than ${limits.files} files`);
  }
  let left = limits.bytes;
  const files: SmallFile[] = [];
  for (const path of paths) {
    const text = await readFile(path, left);
    if (text === undefined) continue;
    left -= text.length;
    files.push({ path, text });
  }
  return files;
}

async function pathsBelow(directory: string, name: RegExp, depth: number): Promise<string[]> {
  if (depth === 0) throw new Error(`${directory} is too deep`);
  const entries = await unlessGone(readdir(directory));
  const found: string[] = [];
  for (const entry of entries?.toSorted() ?? []) {
    const path = `${directory}/${entry}`;
    const isDirectory = (await unlessGone(lstat(path)))?.isDirectory() === true;
    if (isDirectory) found.push(...(await pathsBelow(path, name, depth - 1)));
    else if (name.test(entry)) found.push(path);
  }
  return found;
}

/** undefined: it is gone, or no file. Not blocking, for it may be a FIFO by now. */
async function readFile(path: string, most: number): Promise<string | undefined> {
  const status = await unlessGone(stat(path));
  if (status === undefined || !status.isFile()) return undefined;
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const { size } = await file.stat();
  if (size > most) throw new Error(`${path} and those before it are too long`);
  const buffer = new Uint8Array(size);
  const { bytesRead } = await file.read(buffer, 0, size, 0);
  return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, bytesRead));
}

const GONE: readonly string[] = ["ENOENT", "ENOTDIR"];

async function unlessGone<Result>(look: Promise<Result>): Promise<Result | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Error && "code" in error && GONE.includes(String(error.code))) {
      return undefined;
    }
    throw error;
  }
}
