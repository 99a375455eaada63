// Terminals: ioctl_tty(2), pty(7).
import { type Call, type FdArg, call } from "./call.ts";
import { TIOC } from "./constants.ts";
import { O } from "./open-flags.ts";
import { structOf } from "./struct.ts";

/** Make `fd` the controlling terminal of the calling session; `steal` it from another if need be. */
export function setControllingTerminal(fd: FdArg, steal = false): Call {
  return call("ioctl", fd, TIOC.SCTTY, steal ? 1 : 0);
}

/** The kernel keeps 16 bits of each size. */
const LARGEST_WINDOW = 0xffff;

/** Sizes in characters; what is beyond 65535 is cut to that. */
export function setWindowSize(fd: FdArg, rows: number, columns: number): Call {
  const size = structOf("winsize", {
    ws_row: Math.min(rows, LARGEST_WINDOW),
    ws_col: Math.min(columns, LARGEST_WINDOW),
  });
  return call("ioctl", fd, TIOC.SWINSZ, size);
}

/** Allow the far end of the pty that `master` has open to be opened. */
export function unlockPty(master: FdArg): Call {
  return call("ioctl", master, TIOC.SPTLCK, new Uint8Array(4));
}

/** The far end of `master`, by descriptor: no path in a hostile /dev is trusted. */
export function openPtyPeer(master: FdArg): Call {
  return call("ioctl", master, TIOC.GPTPEER, O.RDWR | O.NOCTTY | O.CLOEXEC);
}
