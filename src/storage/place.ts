// The place in the guest where a storage is mounted: opened name by name, never through a link, for a
// directory on the way may be the host's.
import { AT_FDCWD, RESOLVE, S } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { mkdirat, mknodat, openInRoot, openat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { components } from "../oci/path-components.ts";
import { Mark, skip, type Tape } from "../tape/tape.ts";

/** Already there; or not to be made in a share, which the step after it notices. */
const MAY_BE_THERE = {
  EEXIST: skip,
  ENOSYS: skip,
  EROFS: skip,
  EPERM: skip,
  EACCES: skip,
} as const;

/** Gives a register with the directory `path`, which is made with those above it where there is none. */
export function openDirectory(tape: Tape, path: string, mode = 0o755): Reg {
  return walk(tape, components(path), (at, name) => {
    tape.do(`make directory ${path}`, mkdirat(at, name, mode), MAY_BE_THERE);
  });
}

/** The same for a directory that is there. */
export function openExisting(tape: Tape, path: string): Reg {
  return walk(tape, components(path), () => {});
}

/** As `openDirectory`, or a file if `like` has one open: only that can be mounted on a file. */
export function openLike(tape: Tape, path: string, like: Reg): Reg {
  const names = components(path);
  const parent = openDirectory(tape, `/${names.slice(0, -1).join("/")}`);
  const name = names.at(-1) ?? ".";
  const isFile = new Mark();
  const done = new Mark();
  const directory = openat(like, ".", O.PATH | O.DIRECTORY);
  tape.do(`see whether the source of ${path} is a directory`, directory, { ENOTDIR: isFile });
  // It always succeeds, and so carries the jump.
  tape.do(`make directory ${path}`, mkdirat(parent, name, 0o755), MAY_BE_THERE, done);
  tape.place(isFile);
  tape.do(`make file ${path}`, mknodat(parent, name, S.IFREG | 0o644), MAY_BE_THERE);
  tape.place(done);
  return tape.fd(`open ${path}`, openInRoot(parent, name, O.PATH, 0, RESOLVE.NO_SYMLINKS));
}

function walk(tape: Tape, names: readonly string[], make: (at: Reg, name: string) => void): Reg {
  let at = tape.fd("open /", openat(AT_FDCWD, "/", O.PATH | O.DIRECTORY));
  for (const [index, name] of names.entries()) {
    const path = `/${names.slice(0, index + 1).join("/")}`;
    make(at, name);
    const open = openInRoot(at, name, O.PATH | O.DIRECTORY, 0, RESOLVE.NO_SYMLINKS);
    const next = tape.fd(`open ${path}`, open);
    tape.do(`close the parent of ${path}`, close(at));
    at = next;
  }
  return at;
}
