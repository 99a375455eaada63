// Memory on a disk or in a file: rpc.md 6.32. The host has prepared it, as mkswap(8) does; what bears no
// such signature the kernel refuses, and nothing is written to it.
import { work } from "../child/work.ts";
import { dup3 } from "../linux/io.ts";
import { swapon } from "../linux/machine.ts";
import { O } from "../linux/open-flags.ts";
import { checkHostPath, openHostPath } from "./host-path.ts";

/** All of a large file is looked through for where it is on its disk. */
const TIMEOUT_MS = 60_000;

/** A number that nobody has yet in a child. */
const OPENED = 100;

/** Throws an AgentError for a path that is none, a TapeError if the kernel refuses, and what `signal` says. */
export async function swapOn(path: string, signal: AbortSignal): Promise<void> {
  checkHostPath(path);
  await work(
    (tape) => {
      const file = openHostPath(tape, path, O.RDONLY | O.NONBLOCK);
      // swapon(2) takes no descriptor.
      tape.do("give the file a known number", dup3(file, OPENED, O.CLOEXEC));
      tape.do(`swapon ${path}`, swapon(`/proc/self/fd/${OPENED}`));
    },
    { timeoutMs: TIMEOUT_MS, signal },
  );
}
