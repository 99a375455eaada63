// The place in the rootfs that something is mounted on, opened and if need be created, without ever
// following a link out of the rootfs: the image may have any link anywhere.
import { S } from "../linux/constants.ts";
import type { Call, Reg } from "../linux/call.ts";
import { mkdirat, mknodat, openInRoot, openat, unlinkat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { components } from "../oci/path-components.ts";
import { Mark, type Tape, skip } from "../tape/tape.ts";

/** A directory, or whatever `like` has open: a file is a fitting target for a file only. */
export type TargetKind = "directory" | { readonly like: Reg };

/** Gives a register with the target, opened by O_PATH. `resolve`: more RESOLVE_* bits. */
export function openTarget(
  tape: Tape,
  root: Reg,
  path: string,
  kind: TargetKind,
  resolve = 0,
): Reg {
  const names = components(path);
  const inside = `/${names.join("/")}`;
  const flags = kind === "directory" ? O.PATH | O.DIRECTORY : O.PATH;
  const open = openInRoot(root, inside, flags, 0, resolve);
  return tape.fd(`open ${inside}`, open, {
    ENOENT: (block, target) => {
      const parent = openParent(block, root, names.slice(0, -1));
      create(block, parent, names.at(-1) ?? ".", inside, kind);
      if (parent !== root) block.do(`close the parent of ${inside}`, close(parent));
      block.refill(target, `open ${inside}`, open);
    },
  });
}

function openParent(tape: Tape, root: Reg, names: readonly string[]): Reg {
  let parent = root;
  for (const [index, name] of names.entries()) {
    const path = `/${names.slice(0, index + 1).join("/")}`;
    const above = parent;
    const open = openInRoot(root, path, O.PATH | O.DIRECTORY);
    const directory = tape.fd(`open ${path}`, open, {
      ENOENT: (block, opened) => {
        makeNode(block, above, name, path, mkdirat(above, name, 0o755));
        block.refill(opened, `open ${path}`, open);
      },
    });
    if (above !== root) tape.do(`close the parent of ${path}`, close(above));
    parent = directory;
  }
  return parent;
}

function create(tape: Tape, parent: Reg, name: string, path: string, kind: TargetKind): void {
  const directory = () => makeNode(tape, parent, name, path, mkdirat(parent, name, 0o755));
  if (kind === "directory") return directory();
  const isFile = new Mark();
  const done = new Mark();
  const probe = tape.fd(
    `see whether the source of ${path} is a directory`,
    openat(kind.like, ".", O.PATH | O.DIRECTORY),
    { ENOTDIR: isFile },
  );
  tape.do("close it", close(probe));
  directory();
  jump(tape, done);
  tape.place(isFile);
  makeNode(tape, parent, name, path, mknodat(parent, name, S.IFREG | 0o644));
  tape.place(done);
}

/**
 * The path did not open, so what is there already is a link to nowhere, as some images have at
 * /etc/resolv.conf, or at /var/run without a /run. It gives way: the container would not start
 * otherwise. Or else another container that has the same volume has made the place by now.
 */
function makeNode(tape: Tape, parent: Reg, name: string, path: string, node: Call): void {
  tape.do(`create ${path}`, node, {
    EEXIST: (block) => {
      const madeByNow = { EISDIR: skip, ENOENT: skip } as const;
      block.do(`remove the dangling link ${path}`, unlinkat(parent, name), madeByNow);
      block.do(`create ${path}`, node, { EEXIST: skip });
    },
  });
}

/** Tapes have no jump of their own: a call that always succeeds carries it. */
function jump(tape: Tape, to: Mark): void {
  tape.do("go on", { name: "getpid", args: [] }, {}, to);
}
