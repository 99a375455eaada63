// Ids that the host chooses. A container's id becomes a directory below /run/kata-containers and
// part of a cgroup's name, so it must be a plain file name.
import { InvalidSpec, quote } from "./invalid-spec.ts";

/** A file name has 255 bytes (NAME_MAX); systemd scopes put up to 55 more around the id. */
export const LONGEST_CONTAINER_ID = 200;

/** An exec id is only a key in memory. */
export const LONGEST_EXEC_ID = 255;

/** rpc.md section 11.1, without the letters beyond ASCII that upstream lets through. */
const CONTAINER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]+$/;

/** Throws InvalidSpec; callers may look for the words `invalid container ID`. */
export function verifyId(id: string): void {
  if (id.length > LONGEST_CONTAINER_ID || !CONTAINER_ID.test(id))
    throw new InvalidSpec(`invalid container ID ${quote(id)}`);
}

/** Throws InvalidSpec. */
export function verifyExecId(id: string): void {
  if (id === "" || id.length > LONGEST_EXEC_ID || id.includes("\0"))
    throw new InvalidSpec(`invalid exec ID ${quote(id)}`);
}
