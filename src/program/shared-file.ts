// A file, a directory or a link that the host puts into the directory from which containers are given
// their volumes. Every step goes by the descriptor of the one before: a container may write to a volume,
// and put a link wherever it likes, but none leads out of that directory.
import { AT, AT_FDCWD, RENAME, RESOLVE } from "../linux/constants.ts";
import type { Call, Reg } from "../linux/call.ts";
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
import { pwrite } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { Mark, type OnError, type Tape, skip } from "../tape/tape.ts";

/** Where host and agent agree to meet. */
export const SHARE = "/run/kata-containers/shared/containers";

/** The call, if it is to stay on the mount where it begins: for `playHere`. */
export function withinMount(call: Call): Call {
  const [directory, path, how, size] = call.args;
  if (call.name !== "openat2" || how === null || typeof how !== "object" || !("struct" in how))
    return call;
  const resolve = Number(how.fields["resolve"] ?? 0) | RESOLVE.NO_XDEV;
  const within = { ...how, fields: { ...how.fields, resolve } };
  return { ...call, args: [directory ?? AT_FDCWD, path ?? "", within, size ?? 0] };
}

/** Those above it that may not be there. */
const ABOVE_SHARE = ["/run/kata-containers", "/run/kata-containers/shared", SHARE];

/** Where something is put. */
export type Place = {
  /** The names of the directories from the share down; none climbs. */
  readonly parents: readonly string[];
  readonly name: string;
};

/** Numbers as chown(2) takes them: 0xffffffff changes nothing. */
export type Owner = { readonly uid: number; readonly gid: number };

/** For whom parents are made that are not there. `mode`: permissions. */
export type NewParents = Owner & { readonly mode: number };

/** What a new file or link is called until it is complete. */
export type Temporary = { readonly place: Place; readonly temporary: string };

/** One that is there keeps what it holds; what is no directory gives way. `mode` with set-id bits. */
export function putDirectory(
  tape: Tape,
  place: Place,
  { uid, gid, mode }: NewParents,
  parents: NewParents,
): void {
  const path = textOf(place);
  const parent = makeParent(tape, place, parents);
  const make = mkdirat(parent, place.name, 0o700);
  const open = openDirectory(parent, place.name, O.RDONLY);
  tape.do(`make ${path}`, make, { EEXIST: skip });
  const replace = (block: Tape, opened: Reg) => {
    block.do(`remove what is at ${path}`, unlinkat(parent, place.name));
    block.do(`make ${path}`, make);
    block.refill(opened, `open ${path}`, open);
  };
  const made = tape.fd(`open ${path}`, open, { ENOTDIR: replace, ELOOP: replace });
  settle(tape, made, path, { uid, gid, mode });
}

/** A link to `text`, which may be anything, under its temporary name. */
export function putLink(
  tape: Tape,
  { place, temporary }: Temporary,
  text: string,
  { uid, gid }: Owner,
  parents: NewParents,
): void {
  const path = textOf(place);
  const parent = makeParent(tape, place, parents);
  tape.do(`make the link ${path}`, symlinkat(text, parent, temporary));
  tape.do(`give ${path} its owner`, lchownat(parent, temporary, uid, gid));
  tape.do(`put ${path} in its place`, renameIn(parent, temporary, place.name));
}

/** A piece of a file, at `offset`; the first one makes it under its temporary name. */
export function putPiece(
  tape: Tape,
  { place, temporary }: Temporary,
  { data, offset, last }: Piece,
  parents: NewParents,
): void {
  const path = textOf(place);
  const isFirst = offset === 0;
  const parent = isFirst ? makeParent(tape, place, parents) : openParent(tape, place);
  // A container may have put a FIFO in its place: nobody waits for who reads from that.
  const flags = O.WRONLY | O.NONBLOCK | O.NOFOLLOW | (isFirst ? O.CREAT | O.EXCL : 0);
  const file = tape.fd(`open ${path}`, openat(parent, temporary, flags, 0o600));
  if (data.length > 0) {
    tape.do(`write ${path}`, pwrite(file, data, offset));
    // Where the file system is full that ends early without an error, and this one has it.
    tape.do(`write ${path}`, pwrite(file, data.subarray(-1), offset + data.length - 1));
  }
  if (last === undefined) return;
  settle(tape, file, path, last);
  tape.do(`put ${path} in its place`, renameIn(parent, temporary, place.name));
}

export type Piece = {
  readonly data: Uint8Array;
  readonly offset: number;
  /** With this one the file is complete: what it is like then. */
  readonly last: NewParents | undefined;
};

/**
 * What is complete under its temporary name changes places with the directory that has the name it is to
 * have; that one is handed to the agent.
 */
export function replaceDirectory(tape: Tape, { place, temporary }: Temporary): void {
  const path = textOf(place);
  const parent = openParent(tape, place);
  const swap = renameIn(parent, temporary, place.name, RENAME.EXCHANGE);
  tape.do(`put ${path} in the place of a directory`, swap);
  const open = openat(parent, temporary, O.PATH | O.DIRECTORY | O.NOFOLLOW);
  // Another call may have replaced it by then.
  const isNone = new Mark();
  const replaced = tape.fd(`open what was ${path}`, open, { ENOTDIR: isNone, ELOOP: isNone });
  tape.hand(`hand over what was ${path}`, replaced);
  tape.place(isNone);
}

/** Whatever has the temporary name, if anything has: a file, a link, or a directory that is empty. */
export function discard(tape: Tape, { place, temporary }: Temporary): void {
  const label = `remove what was to be ${textOf(place)}`;
  const gone = new Mark();
  const parent = openParent(tape, place, { ENOENT: gone, ENOTDIR: gone, ELOOP: gone });
  tape.do(label, unlinkat(parent, temporary), {
    ENOENT: skip,
    EISDIR: (block) => block.do(label, unlinkat(parent, temporary, AT.REMOVEDIR)),
  });
  tape.place(gone);
}

function textOf({ parents, name }: Place): string {
  return [...parents, name].join("/");
}

/** No link, though: openat(2) would tell it from a file, and openat2(2) can be told more. */
function openDirectory(parent: Reg, name: string, flags: number): Call {
  return openInRoot(parent, name, flags | O.DIRECTORY, 0, RESOLVE.NO_SYMLINKS);
}

/** The owner first: a change of owner takes set-id bits away. */
function settle(tape: Tape, opened: Reg, path: string, { uid, gid, mode }: NewParents): void {
  tape.do(`give ${path} its owner`, fchown(opened, uid, gid));
  tape.do(`give ${path} its mode`, fchmod(opened, mode));
}

function openParent(tape: Tape, { parents }: Place, onError: OnError<Reg> = {}): Reg {
  const share = tape.fd(`open ${SHARE}`, openat(AT_FDCWD, SHARE, O.PATH | O.DIRECTORY), onError);
  if (parents.length === 0) return share;
  const path = parents.join("/");
  return tape.fd(`open ${path}`, openInRoot(share, path, O.PATH | O.DIRECTORY), onError);
}

/** The same, with what is missing on the way. */
function makeParent(tape: Tape, { parents }: Place, wanted: NewParents): Reg {
  const open = openat(AT_FDCWD, SHARE, O.PATH | O.DIRECTORY);
  const share = tape.fd(`open ${SHARE}`, open, {
    ENOENT: (block, opened) => {
      for (const path of ABOVE_SHARE)
        block.do(`make ${path}`, mkdirat(AT_FDCWD, path, 0o755), { EEXIST: skip });
      block.refill(opened, `open ${SHARE}`, open);
    },
  });
  if (parents.length === 0) return share;
  const path = parents.join("/");
  return tape.fd(`open ${path}`, openInRoot(share, path, O.PATH | O.DIRECTORY), {
    ENOENT: (block, opened) => makeParents(block, share, parents, wanted, opened),
  });
}

/** Each is looked for by its path from the share, so that links on the way lead where they point. */
function makeParents(
  tape: Tape,
  share: Reg,
  parents: readonly string[],
  wanted: NewParents,
  result: Reg,
): void {
  let directory = share;
  for (const [index, name] of parents.entries()) {
    const path = parents.slice(0, index + 1).join("/");
    const above = directory;
    const open = openInRoot(share, path, O.PATH | O.DIRECTORY);
    const onError = {
      ENOENT: (block: Tape, opened: Reg) => makeOne(block, above, { path, name }, wanted, opened),
    };
    if (index < parents.length - 1) directory = tape.fd(`open ${path}`, open, onError);
    else tape.refill(result, `open ${path}`, open, onError);
  }
}

/** A link to nowhere stays one: it is not what was asked for, and is no directory. */
function makeOne(
  tape: Tape,
  above: Reg,
  { path, name }: { readonly path: string; readonly name: string },
  { uid, gid, mode }: NewParents,
  result: Reg,
): void {
  const open = openDirectory(above, name, O.PATH);
  const existed = new Mark();
  const opened = new Mark();
  // Another call may have made it meanwhile: then it is not for this one to say whose it is.
  tape.do(`make ${path}`, mkdirat(above, name, mode), { EEXIST: existed });
  tape.refill(result, `open ${path}`, open);
  tape.do(`give ${path} its owner`, fchown(result, uid, gid), {}, opened);
  tape.place(existed);
  tape.refill(result, `open ${path}`, open);
  tape.place(opened);
}
