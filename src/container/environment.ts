// What a process finds in its environment.
import { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { isRegularFile, readStart } from "../kernel/file.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { O } from "../linux/open-flags.ts";
import { normaliseEnvironment } from "../oci/environment.ts";
import { homeOf } from "../oci/passwd.ts";
import type { Process } from "../oci/process.ts";

/** The database of a large site has some thousand users, at about 60 bytes each. */
const LONGEST_PASSWD = 1 << 20;

/**
 * The entries of the spec, and HOME where they give none: from the image's user database, or `/`.
 * `root` is a directory descriptor of the container's root.
 */
export function environmentOf(process: Process, root: Fd): readonly string[] {
  const environment = normaliseEnvironment(process.env ?? []);
  if (environment.some((entry) => /^HOME=./s.test(entry))) return environment;
  const others = environment.filter((entry) => !entry.startsWith("HOME="));
  return [...others, `HOME=${homeOf(readPasswd(root), process.user.uid) ?? "/"}`];
}

/** Empty where there is none to read: an image need not know its users. */
function readPasswd(root: Fd): string {
  const path = "/etc/passwd";
  const number = attempt(openInRoot(root.number, path, O.PATH));
  if (number < 0) return "";
  using place = new Fd(number);
  if (!isRegularFile(place)) return "";
  const label = `read ${path} of the container`;
  using file = Fd.of(label, openat(AT_FDCWD, `/proc/self/fd/${place.number}`, O.RDONLY));
  return readStart(file, label, LONGEST_PASSWD);
}
