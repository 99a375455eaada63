// What a child does to read the user database of an image: passwd(5).
import { AT_FDCWD } from "../linux/constants.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { dup3, sendfile } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { Tape } from "../tape/tape.ts";
import { type Birth, leaveAgent, spareNumber } from "./birth.ts";

export const PASSWD = "/etc/passwd";
/** What a pipe holds, and so what one call sends to it at most. */
const PIPE_BYTES = 64 << 10;

/**
 * Its first `most` bytes, or some more, go to standard output, a pipe. `root`: the container's, a path in the agent's tree or the
 * agent's descriptor. The file is handed over before it is opened, and the tape then parks: what is no
 * file might do something when it is opened.
 */
export function passwdProgram(
  root: string | number,
  most: number,
  birth: Omit<Birth, "environment" | "seccomp" | "containerId">,
): Tape {
  const tape = new Tape();
  const kept = typeof root === "number" ? [root] : [];
  leaveAgent(tape, { ...birth, containerId: "" }, kept, { user: { uid: 0, gid: 0 } });
  const directory =
    typeof root === "number"
      ? root
      : tape.fd(`open ${root}`, openat(AT_FDCWD, root, O.PATH | O.DIRECTORY));
  const place = tape.fd(`find ${PASSWD}`, openInRoot(directory, PASSWD, O.PATH));
  tape.hand(`hand over ${PASSWD}`, place);
  tape.park("hear whether it is a file");
  const named = spareNumber(birth);
  tape.do(`name the place of ${PASSWD}`, dup3(place, named));
  const file = tape.fd(`open ${PASSWD}`, openat(AT_FDCWD, `/proc/self/fd/${named}`, O.RDONLY));
  // Twice as often as need be: the pipe may not have been empty.
  for (let sent = 0; sent < 2 * most; sent += PIPE_BYTES)
    tape.do(`send ${PASSWD}`, sendfile(1, file, most));
  return tape;
}
