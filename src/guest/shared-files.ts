// CopyFile: what the host puts where containers are given their volumes from, when it shares no file
// system with the guest. rpc.md 6.31.
import { internal, invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { MOST_NAMES, climbs, components } from "../oci/path-components.ts";
import {
  type NewParents,
  type Place,
  SHARE,
  putDirectory,
  putLink,
} from "../program/shared-file.ts";
import { play, putInPlace, temporaryAt } from "./put-in-place.ts";
import { type Piece, Upload } from "./upload.ts";

/** Owner and mode are its own; uid and gid as chown(2) takes them. */
export type SharedFile = NewParents & {
  readonly path: string;
  readonly parentMode: number;
} & (
    | { readonly kind: "directory" }
    | { readonly kind: "link"; readonly text: string }
    | ({ readonly kind: "file" } & Piece)
  );

type Kind<Name extends SharedFile["kind"]> = Extract<SharedFile, { readonly kind: Name }>;

/** Files that nobody completes: the oldest gives way to one more. */
const MOST_UPLOADS = 64;
/** PATH_MAX of linux/limits.h, with the NUL. */
const LONGEST_PATH = 4096;

export class SharedFiles {
  /** Files of which pieces are still to come, by their path from the share. */
  readonly #uploads = new Map<string, Upload>();

  /** Throws an AgentError for what cannot be asked for, a KernelError, or what `signal` says. */
  async put(file: SharedFile, signal: AbortSignal): Promise<void> {
    const place = placeOf(file.path);
    const { uid, gid } = file;
    const parents = { uid, gid, mode: file.parentMode & 0o777 };
    if (file.kind === "directory")
      return await play((tape) => putDirectory(tape, place, file, parents), { signal });
    if (file.kind === "file") return await this.#putPiece(place, file, parents, signal);
    checkLink(file);
    const made = temporaryAt(place);
    await putInPlace(made, (tape) => putLink(tape, made, file.text, file, parents), signal);
  }

  async #putPiece(
    place: Place,
    file: Kind<"file">,
    parents: NewParents,
    signal: AbortSignal,
  ): Promise<void> {
    checkPiece(file);
    const key = [...place.parents, place.name].join("/");
    // All in one turn: pieces are written in the order in which they have come.
    const dropped = file.offset === 0 ? this.#begin(key, new Upload(place, file.size)) : [];
    const upload = this.#uploads.get(key);
    if (upload === undefined) throw internal(`${quote(file.path)}: its first piece has not come`);
    const drops = dropped.map((each) => each.drop());
    try {
      await Promise.all([upload.put(file, parents, signal), ...drops]);
    } finally {
      if (upload.isOver && this.#uploads.get(key) === upload) this.#uploads.delete(key);
    }
  }

  /** Gives what it takes the place of: what was begun there before, and the oldest of too many. */
  #begin(key: string, upload: Upload): readonly Upload[] {
    const before = this.#uploads.get(key);
    this.#uploads.delete(key);
    const [oldest] = this.#uploads.size < MOST_UPLOADS ? [] : this.#uploads;
    if (oldest !== undefined) this.#uploads.delete(oldest[0]);
    this.#uploads.set(key, upload);
    return [before, oldest?.[1]].filter((each) => each !== undefined);
  }
}

/** Throws an AgentError. A name that only begins with two dots is one like any other. */
function placeOf(path: string): Place {
  if (path.includes("\0") || path.length >= LONGEST_PATH)
    throw invalidArgument(`${quote(path)} is not a path`);
  if (climbs(path)) throw invalidArgument(`${quote(path)} climbs by ..`);
  const share = components(SHARE);
  const names = components(path);
  if (names.length > MOST_NAMES)
    throw invalidArgument(`${quote(path)} has more than ${MOST_NAMES} names`);
  const name = names.at(-1);
  const isBelow = path.startsWith("/") && share.every((each, index) => names[index] === each);
  if (!isBelow || name === undefined || names.length === share.length)
    throw internal(`removing "${SHARE}/" prefix from ${quote(path)}`);
  return { parents: names.slice(share.length, -1), name };
}

function checkLink({ path, text }: Kind<"link">): void {
  if (text !== "" && !text.includes("\0") && text.length < LONGEST_PATH) return;
  throw invalidArgument(`${quote(path)}: there is no link to ${quote(text)}`);
}

function checkPiece({ path, size, offset, data }: Kind<"file">): void {
  if (offset >= 0 && offset + data.length <= size && size <= Number.MAX_SAFE_INTEGER) return;
  const piece = `${data.length} bytes at ${offset}`;
  throw invalidArgument(`${quote(path)}: ${piece} are not of a file of ${size} bytes`);
}
