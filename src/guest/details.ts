// What the runtime asks of the guest before it creates containers: rpc.md 6.25.
import { internal } from "../error.ts";
import { tryReadText } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { Fd } from "../kernel/fd.ts";

const MEMORY = "/sys/devices/system/memory";

/** The unit in which memory is plugged in, in bytes; 0 where the kernel has no such thing. */
export function memoryBlockSize(directory = MEMORY): bigint {
  const text = tryReadText(`${directory}/block_size_bytes`);
  if (text === undefined) return 0n;
  const digits = text.trim();
  if (!/^[0-9a-fA-F]{1,16}$/.test(digits)) throw internal("Invalid block size");
  return BigInt(`0x${digits}`);
}

/** Whether memory is announced by writing its address: architectures without ACPI hotplug. */
export function hasMemoryProbe(directory = MEMORY): boolean {
  const number = attempt(openat(AT_FDCWD, `${directory}/probe`, O.PATH));
  if (number < 0) return false;
  new Fd(number).close();
  return true;
}
