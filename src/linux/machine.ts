// The machine as a whole: reboot(2), sync(2), syslog(2).
import { type Call, call } from "./call.ts";
import { LINUX_REBOOT } from "./constants.ts";

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
