// The copy of a watched volume in a file system of the guest's own memory, where nothing blocks. It is
// changed so that whoever reads it finds what was there before or what is there now: first what links
// may lead to, then the links, and last what nothing leads to any more.
import { emptyDirectory } from "../kernel/empty-directory.ts";
import { Fd } from "../kernel/fd.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { AT, RESOLVE } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import {
  fchmod,
  fchown,
  lchownat,
  mkdirat,
  openInRoot,
  openat,
  renameIn,
  symlinkat,
  unlinkat,
} from "../linux/fs.ts";
import { ftruncate, pwrite } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { type WatchedEntry, type WatchedTree, isAlike } from "../kernel/watched-tree.ts";

/** A container may be able to write to it, and nothing it puts there leads the agent anywhere. */
const RESOLVE_BELOW = RESOLVE.NO_SYMLINKS | RESOLVE.NO_XDEV;

export class Mirror {
  readonly #root: Fd;
  readonly #name: string;
  readonly #entries = new Map<string, WatchedEntry>();

  /** `name` in `root`, which others close. Nothing is there yet. */
  constructor(root: Fd, name: string) {
    this.#root = root;
    this.#name = name;
  }

  /** As it is in the mirror. */
  get entries(): ReadonlyMap<string, WatchedEntry> {
    return this.#entries;
  }

  /** How many entries were put there anew. Throws a KernelError; what has been done by then is known. */
  async show({ entries, contents }: WatchedTree): Promise<number> {
    // What was a directory and is none any more, or the other way round, cannot be replaced in one step.
    const turned = [...this.#entries].filter(([path, { kind }]) => {
      const now = entries.get(path)?.kind ?? kind;
      return now !== kind && (now === "directory" || kind === "directory");
    });
    for (const [path] of turned.toReversed()) await this.#remove(path);
    const changed = [...entries].filter(
      ([path, entry]) => !isAlike(this.#entries.get(path), entry),
    );
    for (const kind of ["directory", "file", "link"] as const)
      for (const [path, entry] of changed)
        if (entry.kind === kind) this.#put(path, entry, contents.get(path));
    const gone = [...this.#entries.keys()].filter((path) => !entries.has(path));
    // Those below it have gone with a directory.
    for (const path of gone) if (this.#entries.has(path)) await this.#remove(path);
    return changed.length;
  }

  /** Nothing is there any more. */
  async clear(): Promise<void> {
    await this.#remove("");
  }

  #put(path: string, entry: WatchedEntry, content: Uint8Array | undefined): void {
    using place = this.#place(path);
    const { parent, name } = place;
    if (entry.kind === "directory") putDirectory(parent, name, entry);
    else if (entry.kind === "link") putLink(parent, name, entry);
    // A file by itself is what containers have mounted: another one in its place they would not see.
    else if (content === undefined) throw new Error(`${path}: its content is not known`);
    else if (path === "") putFile(parent, name, entry, content);
    else putFileAnew(parent, name, entry, content);
    this.#entries.set(path, entry);
  }

  /** Whatever is there, with all that is below it, but for what is mounted there. */
  async #remove(path: string): Promise<void> {
    using place = this.#place(path);
    const { parent, name } = place;
    const flags = O.PATH | O.DIRECTORY;
    const opened = attempt(openInRoot(parent.number, name, flags, 0, RESOLVE_BELOW));
    if (opened >= 0) {
      using directory = new Fd(opened);
      await emptyDirectory(directory);
    }
    const remove = unlinkat(parent.number, name, opened >= 0 ? AT.REMOVEDIR : 0);
    const result = attempt(remove);
    if (result < 0 && result !== -errnoNumber("ENOENT"))
      throw new KernelError(`remove ${name}`, remove, -result);
    const isBelow = (other: string) => path === "" || other.startsWith(`${path}/`);
    for (const other of this.#entries.keys())
      if (other === path || isBelow(other)) this.#entries.delete(other);
  }

  #place(path: string) {
    const names = [this.#name, ...path.split("/").filter((name) => name !== "")];
    const above = names.slice(0, -1).join("/") || ".";
    const open = openInRoot(this.#root.number, above, O.PATH | O.DIRECTORY, 0, RESOLVE_BELOW);
    const parent = Fd.of(`open ${above}`, open);
    return { parent, name: names.at(-1) ?? ".", [Symbol.dispose]: () => parent.close() };
  }
}

function putDirectory(parent: Fd, name: string, entry: WatchedEntry): void {
  // It may be there: then only its mode or its owner have changed.
  attempt(mkdirat(parent.number, name, 0o700));
  const open = openat(parent.number, name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
  using directory = Fd.of(`make directory ${name}`, open);
  settle(directory, name, entry);
}

function putLink(parent: Fd, name: string, { stamp: text, uid, gid }: WatchedEntry): void {
  const temporary = temporaryName();
  using undo = new DisposableStack();
  perform(`make the link ${name}`, symlinkat(text, parent.number, temporary));
  undo.defer(() => void attempt(unlinkat(parent.number, temporary)));
  perform(`give ${name} its owner`, lchownat(parent.number, temporary, uid, gid));
  perform(`put ${name} in its place`, renameIn(parent.number, temporary, name));
  undo.move();
}

function putFileAnew(parent: Fd, name: string, entry: WatchedEntry, content: Uint8Array): void {
  const temporary = temporaryName();
  using undo = new DisposableStack();
  undo.defer(() => void attempt(unlinkat(parent.number, temporary)));
  putFile(parent, temporary, entry, content);
  perform(`put ${name} in its place`, renameIn(parent.number, temporary, name));
  undo.move();
}

function putFile(parent: Fd, name: string, entry: WatchedEntry, content: Uint8Array): void {
  const open = openat(parent.number, name, O.WRONLY | O.CREAT | O.NOFOLLOW | O.NONBLOCK, 0o600);
  using file = Fd.of(`open ${name}`, open);
  for (let at = 0; at < content.length;)
    at += perform(`write ${name}`, pwrite(file.number, content.subarray(at), at));
  perform(`cut ${name}`, ftruncate(file.number, content.length));
  settle(file, name, entry);
}

/** The owner first: a change of owner takes set-id bits away. */
function settle(file: Fd, name: string, { uid, gid, mode }: WatchedEntry): void {
  perform(`give ${name} its owner`, fchown(file.number, uid, gid));
  perform(`give ${name} its mode`, fchmod(file.number, mode));
}

function temporaryName(): string {
  return `.kata-${crypto.randomUUID()}.tmp`;
}
