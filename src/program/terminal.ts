// A terminal for the process: a pty of the container's own devpts, so that ttyname(3) finds it
// inside. The agent fetches the master at the next park point.
import { RESOLVE, S } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { fchown, mknodat, openInRoot } from "../linux/fs.ts";
import { close, dup3 } from "../linux/io.ts";
import { attachMount, cloneMount } from "../linux/mount.ts";
import { O } from "../linux/open-flags.ts";
import { openPtyPeer, setControllingTerminal, setWindowSize, unlockPty } from "../linux/tty.ts";
import type { Process } from "../oci/process.ts";
import { skip, type Tape } from "../tape/tape.ts";
import { openTarget } from "./mount-target.ts";

/** Opens a pty below `root`; its master becomes descriptor `master`, its far end 0, 1 and 2. */
export function openTerminal(tape: Tape, root: Reg, process: Process, master: number): Reg {
  const flags = O.RDWR | O.NOCTTY;
  const open = openInRoot(root, "/dev/pts/ptmx", flags, 0, RESOLVE.NO_SYMLINKS);
  const ptmx = tape.fd("open /dev/pts/ptmx", open);
  tape.do("unlock the terminal", unlockPty(ptmx));
  const peer = tape.fd("open the terminal", openPtyPeer(ptmx));
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  if (height > 0 || width > 0) {
    tape.do("set the size of the terminal", setWindowSize(ptmx, height, width));
  }
  for (const number of [0, 1, 2]) {
    tape.do(`place the terminal on ${number}`, dup3(peer, number));
  }
  tape.do("keep the terminal's master for the agent", dup3(ptmx, master, O.CLOEXEC));
  tape.do("close /dev/pts/ptmx", close(ptmx));
  return peer;
}

/** /dev/console is the terminal of the container's first process. */
export function mountConsole(tape: Tape, root: Reg, peer: Reg): void {
  const dev = openTarget(tape, root, "/dev", "directory");
  const node = mknodat(dev, "console", S.IFREG | 0o600);
  tape.do("create /dev/console", node, { EEXIST: skip });
  const open = openInRoot(root, "/dev/console", O.PATH | O.NOFOLLOW, 0, RESOLVE.NO_SYMLINKS);
  const target = tape.fd("open /dev/console", open);
  const tree = tape.fd("clone the terminal", cloneMount(peer, "", false));
  tape.do("mount the terminal on /dev/console", attachMount(tree, target));
  for (const fd of [tree, target, dev]) tape.do("close what made /dev/console", close(fd));
}

/** After setsid(2): a session gets a terminal only from a leader that has none. */
export function controlTerminal(tape: Tape): void {
  tape.do("take the terminal as controlling terminal", setControllingTerminal(0));
}

/** A user who is not root must be able to open /dev/stdout again. */
export function ownStdio(tape: Tape, uid: number): void {
  const SAME_GROUP = 0xffffffff;
  for (const number of [0, 1, 2]) {
    tape.do(`give descriptor ${number} to user ${uid}`, fchown(number, uid, SAME_GROUP), {
      EPERM: skip,
      EROFS: skip,
    });
  }
}
