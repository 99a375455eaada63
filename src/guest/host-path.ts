// Paths in the guest that a host names.
import { invalidArgument } from "../error.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { quote } from "../oci/invalid-spec.ts";
import { climbs, isAbsolute } from "../oci/path-components.ts";
import type { Reg } from "../linux/call.ts";
import type { Tape } from "../tape/tape.ts";

/** PATH_MAX of linux/limits.h, with the NUL. */
const LONGEST_PATH = 4095;

/** Throws an AgentError for what is no absolute path, climbs, or is none for the kernel. */
export function checkHostPath(path: string): void {
  const refuse = (why: string) => invalidArgument(`path ${quote(path)} ${why}`);
  if (!isAbsolute(path)) throw refuse("is not absolute");
  if (path.length > LONGEST_PATH) throw refuse(`is longer than ${LONGEST_PATH} characters`);
  if (path.includes("\0")) throw refuse("contains a NUL");
  if (climbs(path)) throw refuse("contains '..'");
}

/** Gives a register with what is there; links of procfs are not followed. */
export function openHostPath(tape: Tape, path: string, flags: number): Reg {
  const root = tape.fd("open /", openat(AT_FDCWD, "/", O.PATH | O.DIRECTORY));
  return tape.fd(`open ${path}`, openInRoot(root, path, flags));
}
