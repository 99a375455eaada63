// Where a storage may be mounted, judged as text: nothing here looks at a file system.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { MOST_NAMES, climbs, components, isAbsolute } from "../oci/path-components.ts";

/** PATH_MAX and NAME_MAX of linux/limits.h, in bytes, of which a character has at least one. */
const LONGEST_PATH = 4095;
const LONGEST_NAME = 255;

/** To be made for one mount: hosts ask for two or three. */
export const MOST_DIRECTORIES = 64;

/** All that Kata's runtimes name is below one of these; the second is that of a runtime without root. */
const ROOTS = /^\/run\/(user\/[1-9]\d*\/run\/)?kata-containers\/./;

/**
 * The mount point without what does not count in it, such as a slash at its end. `what` begins the text
 * of the error. Throws InvalidSpec for what is not strictly below Kata's directory.
 */
export function checkedTarget(what: string, path: string): string {
  const target = checkedPath(what, path);
  if (ROOTS.test(target)) return target;
  throw new InvalidSpec(`${what} ${quote(path)} is not below /run/kata-containers`);
}

/** The same for a path anywhere in the guest. */
export function checkedPath(what: string, path: string): string {
  const tooLong = () => new InvalidSpec(`${what} ${quote(path)} is too long`);
  // First: the rest would look at all of it.
  if (path.length > LONGEST_PATH) throw tooLong();
  const names = components(path);
  if (!isAbsolute(path) || climbs(path) || names.length === 0)
    throw new InvalidSpec(`${what} ${quote(path)} is not an absolute path without ".."`);
  if (names.length > MOST_NAMES || names.some(({ length }) => length > LONGEST_NAME))
    throw tooLong();
  if (/\p{Cc}/u.test(path)) throw new InvalidSpec(`${what} ${quote(path)} has control characters`);
  return `/${names.join("/")}`;
}
