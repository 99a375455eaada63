// Enter the container's cgroup from inside: v1 only, where clone(2) cannot do it. It comes before
// any namespace is entered, since the files are the agent's.
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { close, writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import type { Tape } from "../tape/tape.ts";

/** `files`: the `tasks` of the cgroup in each hierarchy. The child has one thread. */
export function enterCgroup(tape: Tape, files: readonly string[]): void {
  for (const file of files) {
    const tasks = tape.fd(`open ${file}`, openat(AT_FDCWD, file, O.WRONLY));
    tape.do(`enter ${file}`, writeText(tasks, "0"));
    tape.do(`close ${file}`, close(tasks));
  }
}
