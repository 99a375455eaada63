// What is in a volume of the host's, as one look at it says: off the event loop, by descriptors from its
// root down, and no more than may be watched.
import { type FileHandle, lstat, open, opendir, readlink } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { S } from "../linux/constants.ts";
import { O, openFlagsFor } from "../linux/open-flags.ts";
import { arch } from "./native.ts";

/** All of it is compared, so whoever changes a file is seen, whatever he does to its times. */
export type WatchedEntry = {
  readonly kind: "directory" | "file" | "link";
  /** With the set-id bits and the sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file: which it is, and when it was changed. Of a link: its text. */
  readonly stamp: string;
};

/** By the path from the root, which itself is "". Parents come first. */
export type WatchedEntries = ReadonlyMap<string, WatchedEntry>;

export type WatchedTree = {
  readonly entries: WatchedEntries;
  /** Of the files that are not as they were known. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
};

/** There is more than is watched: the volume is to be shown as it is. */
export class TooMuchToWatch extends Error {
  override name = "TooMuchToWatch";
}

/** Kata's agent counts directories as well, and the root. */
export const MOST_ENTRIES = 16;
/** Of all files and the texts of all links. */
export const MOST_BYTES = 1 << 20;

const PERMISSIONS = 0o7777n;

/**
 * Look at `source`, a directory or a file. Links are not followed; devices, FIFOs and sockets are passed
 * over. Throws TooMuchToWatch, and an Error for what cannot be read, or changes while it is.
 */
export async function lookAt(source: string, known: WatchedEntries): Promise<WatchedTree> {
  const look = new Look(known);
  await look.take(source, "", await statusOf(source));
  return look;
}

class Look implements WatchedTree {
  readonly entries = new Map<string, WatchedEntry>();
  readonly contents = new Map<string, Uint8Array>();
  readonly #known: WatchedEntries;
  #bytes = 0;

  constructor(known: WatchedEntries) {
    this.#known = known;
  }

  /** `at`: where it is, below a descriptor. `path`: from the root. */
  async take(at: string, path: string, status: BigIntStats): Promise<void> {
    switch (Number(status.mode) & S.IFMT) {
      case S.IFDIR:
        return await this.#takeDirectory(at, path, status);
      case S.IFREG:
        return await this.#takeFile(at, path, status);
      case S.IFLNK:
        return await this.#takeLink(at, path, status);
      default:
    }
  }

  async #takeDirectory(at: string, path: string, status: BigIntStats): Promise<void> {
    this.#add(path, entryOf("directory", status, ""), 0);
    await using directory = await openNode(at, O.PATH | O.DIRECTORY);
    const below = `/proc/self/fd/${directory.fd}`;
    const names: string[] = [];
    for await (const { name } of await opendir(below)) {
      if (names.push(name) > MOST_ENTRIES) throw tooMany();
    }
    // All at once: each by itself is a wake-up of a thread, and of this one.
    const found = await Promise.all(
      names.toSorted().map(async (name) => {
        const inside = `${below}/${name}`;
        return { name, inside, status: await statusOf(inside) };
      }),
    );
    for (const { name, inside, status: its } of found)
      await this.take(inside, path === "" ? name : `${path}/${name}`, its);
  }

  async #takeFile(at: string, path: string, status: BigIntStats): Promise<void> {
    const { dev, ino, size, mtimeNs, ctimeNs } = status;
    const entry = entryOf("file", status, [dev, ino, size, mtimeNs, ctimeNs].join(" "));
    this.#add(path, entry, Number(size));
    if (isAlike(this.#known.get(path), entry)) return;
    await using file = await openNode(at, O.RDONLY | O.NONBLOCK | O.NOCTTY);
    const content = await readExactly(file, Number(size));
    if (content === undefined) throw new Error(`${path || at} changes while it is read`);
    this.contents.set(path, content);
  }

  async #takeLink(at: string, path: string, status: BigIntStats): Promise<void> {
    const text = await readlink(at);
    this.#add(path, entryOf("link", status, text), Buffer.byteLength(text));
  }

  #add(path: string, entry: WatchedEntry, bytes: number): void {
    this.entries.set(path, entry);
    this.#bytes += bytes;
    if (this.entries.size > MOST_ENTRIES) throw tooMany();
    if (this.#bytes > MOST_BYTES) throw new TooMuchToWatch(`more than ${MOST_BYTES} bytes`);
  }
}

/** The same entries in both. */
export function areAlike(some: WatchedEntries, others: WatchedEntries): boolean {
  return (
    some.size === others.size &&
    [...some].every(([path, entry]) => isAlike(others.get(path), entry))
  );
}

export function isAlike(one: WatchedEntry | undefined, other: WatchedEntry): boolean {
  return (
    one !== undefined &&
    one.kind === other.kind &&
    one.mode === other.mode &&
    one.uid === other.uid &&
    one.gid === other.gid &&
    one.stamp === other.stamp
  );
}

function entryOf(
  kind: WatchedEntry["kind"],
  { mode, uid, gid }: BigIntStats,
  stamp: string,
): WatchedEntry {
  const permissions = Number(mode & PERMISSIONS);
  return { kind, mode: permissions, uid: Number(uid), gid: Number(gid), stamp };
}

function statusOf(at: string): Promise<BigIntStats> {
  return lstat(at, { bigint: true });
}

function openNode(at: string, flags: number): Promise<FileHandle> {
  return open(at, openFlagsFor(arch, flags | O.NOFOLLOW | O.CLOEXEC));
}

/** undefined: it has another size by now. */
async function readExactly(file: FileHandle, size: number): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length === size ? buffer.subarray(0, size) : undefined;
}

function tooMany(): TooMuchToWatch {
  return new TooMuchToWatch(`more than ${MOST_ENTRIES} files, links and directories`);
}
