// The machine as a whole: reboot(2), sync(2), swapon(2), settimeofday(2), syslog(2), random(4).
import { type Call, type FdArg, call } from "./call.ts";
import { LINUX_REBOOT } from "./constants.ts";
import { RND } from "./requests.ts";

/**
 * Does not come back. In a pid namespace that is not the machine's it ends the caller, which is its
 * first process, by SIGINT.
 */
export function powerOff(): Call {
  const { MAGIC1, MAGIC2, CMD_POWER_OFF } = LINUX_REBOOT;
  return call("reboot", MAGIC1, MAGIC2, CMD_POWER_OFF, null);
}

/** Write out what file systems hold back. Waits for every disk there is. */
export function sync(): Call {
  return call("sync");
}

/** The end of the kernel's log into `buffer`; the result is its length in bytes. */
export function readKernelLog(buffer: Uint8Array): Call {
  const SYSLOG_ACTION_READ_ALL = 3;
  return call("syslog", SYSLOG_ACTION_READ_ALL, buffer, buffer.length);
}

/** Use a disk or a file that mkswap(8) has prepared. Reads and writes it. */
export function swapon(path: string): Call {
  return call("swapon", path, 0);
}

/** Seconds and microseconds since 1970. */
export function settimeofday(seconds: bigint, microseconds: bigint): Call {
  const timeval = new Uint8Array(16);
  const view = new DataView(timeval.buffer);
  view.setBigInt64(0, seconds, true);
  view.setBigInt64(8, microseconds, true);
  return call("settimeofday", timeval, null);
}

/** Mix `data` into the kernel's random numbers and count all of its bits as unknown to anybody. */
export function addEntropy(random: FdArg, data: Uint8Array): Call {
  // struct rand_pool_info: int entropy_count, int buf_size, the bytes
  const info = new Uint8Array(8 + data.length);
  const view = new DataView(info.buffer);
  view.setInt32(0, 8 * data.length, true);
  view.setInt32(4, data.length, true);
  info.set(data, 8);
  return call("ioctl", random, RND.ADDENTROPY, info);
}

/** Have random numbers come from what has been mixed in by now. */
export function reseedRandom(random: FdArg): Call {
  return call("ioctl", random, RND.RESEEDCRNG, null);
}
