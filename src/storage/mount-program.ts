// The system calls that mount something. Made where nobody sees it and attached by the last one: a child
// that is killed before leaves nothing, and no path is looked up twice.
import { AT_FDCWD, CLONE } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { fchdir, openat } from "../linux/fs.ts";
import {
  attachMount,
  cloneMount,
  mountNew,
  mountPropagation,
  mount_setattr,
} from "../linux/mount.ts";
import { MS } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import { setns, unshare } from "../linux/process.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { settle } from "../program/attach-mount.ts";
import { attributesOf } from "../program/filesystem.ts";
import type { Tape } from "../tape/tape.ts";
import { type StorageOptions, storageOptions } from "./options.ts";
import { openDirectory, openExisting, openLike } from "./place.ts";
import { checkedPath } from "./target.ts";

export type MountRequest = {
  readonly source: string;
  /** `bind`, and any type with the option `bind`: what is at `source` already. */
  readonly fstype: string;
  /** Checked: `checkedTarget`. */
  readonly target: string;
  readonly options: readonly string[];
  /** The directory of the target is the host's, and not to be removed. */
  readonly stays?: true;
  /** Checked, and there: where paths in the options start that do not start at `/`. */
  readonly from?: string;
};

/** In the private namespace of the child, new file systems are mounted here first. */
const STAGE = "/run";

/** What writes the tape. Throws InvalidSpec. */
export function mountProgram(request: MountRequest): (tape: Tape) => void {
  const { source, fstype, target } = request;
  for (const [what, value] of Object.entries({ source, fstype })) {
    if (value === "") throw new InvalidSpec(`the storage ${target}: need mount ${what}`);
    // Whoever reads the list of mounts would take it for another line.
    if (/\p{Cc}/u.test(value))
      throw new InvalidSpec(
        `the storage ${target}: ${what} ${quote(value)} has control characters`,
      );
  }
  const options = storageOptions(request.options);
  const isBind = fstype === "bind" || (options.flags & MS.BIND) !== 0;
  if (isBind) checkedPath(`the storage ${target}: source`, source);
  return (tape) => {
    if (isBind) bind(tape, request, options);
    else mountFilesystem(tape, request, options);
  };
}

function bind(tape: Tape, { source, target }: MountRequest, options: StorageOptions): void {
  const tree = tape.fd(
    `clone ${source}`,
    cloneMount(AT_FDCWD, source, (options.flags & MS.REC) !== 0),
  );
  const attributes = attributesOf(options);
  if (attributes.set !== 0 || attributes.clear !== 0)
    tape.do(`set the flags of ${target}`, mount_setattr(tree, attributes));
  attach(tape, tree, openLike(tape, target, tree), `bind ${source} on ${target}`, target, options);
}

/**
 * With mount(2), for fsconfig(2) takes no value of more than 255 bytes, and the layers of an overlay
 * have more.
 */
function mountFilesystem(
  tape: Tape,
  { source, fstype, target, from }: MountRequest,
  options: StorageOptions,
): void {
  const place = openDirectory(tape, target);
  const home = tape.fd("open the mount namespace", openat(AT_FDCWD, "/proc/self/ns/mnt", O.RDONLY));
  if (from !== undefined) tape.do(`change directory to ${from}`, fchdir(openExisting(tape, from)));
  tape.do("create a mount namespace", unshare(CLONE.NEWNS));
  tape.do("make its mounts private", mountPropagation("/", MS.PRIVATE | MS.REC));
  const label = `mount ${fstype} ${source} on ${target}`;
  tape.do(label, mountNew(fstype, source, STAGE, options.flags, options.text));
  const tree = tape.fd(`clone ${target}`, cloneMount(AT_FDCWD, STAGE, false));
  tape.do("return to the mount namespace", setns(home, CLONE.NEWNS));
  attach(tape, tree, place, label, target, options);
}

/** The last step but for what can be done only then. */
function attach(
  tape: Tape,
  tree: Reg,
  place: Reg,
  label: string,
  target: string,
  options: StorageOptions,
): void {
  tape.do(label, attachMount(tree, place));
  settle(tape, tree, target, options);
}
