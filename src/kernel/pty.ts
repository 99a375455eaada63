// A terminal of the guest's own: pty(7).
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { unlockPty } from "../linux/tty.ts";
import { Fd } from "./fd.ts";
import { perform } from "./perform.ts";

/** The master, not blocking. Its far end is opened by `openPtyPeer`. Throws a KernelError. */
export function openPty(): Fd {
  using onFailure = new DisposableStack();
  const flags = O.RDWR | O.NOCTTY | O.NONBLOCK;
  const master = onFailure.use(Fd.of("open /dev/ptmx", openat(AT_FDCWD, "/dev/ptmx", flags)));
  perform("unlock the terminal", unlockPty(master.number));
  onFailure.move();
  return master;
}
