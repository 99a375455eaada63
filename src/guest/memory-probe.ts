// Memory that the host has plugged in where nothing tells the kernel of it: architectures without ACPI
// or device tree for that (rpc.md 6.29; Documentation/admin-guide/mm/memory-hotplug.rst, probe).
import { work } from "../child/work.ts";
import { invalidArgument } from "../error.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { MEMORY } from "./online.ts";

/** With sections of 128 MiB these are 4 TiB. */
const MOST_SECTIONS = 32_768;

/** In one child: to write a tape of them all would take most of a second. */
const BATCH = 256;
const TIMEOUT_MS = 60_000;

/**
 * Tell the kernel of one memory section at each address. Throws an AgentError for too many, a TapeError
 * at the first that it refuses, and what `signal` says.
 */
export async function probeMemory(
  addresses: readonly bigint[],
  signal: AbortSignal,
  { directory = MEMORY } = {},
): Promise<void> {
  if (addresses.length > MOST_SECTIONS) {
    throw invalidArgument(
      `${addresses.length} memory sections, ${MOST_SECTIONS} are the most in one call`,
    );
  }
  for (let from = 0; from < addresses.length; from += BATCH)
    await probe(`${directory}/probe`, addresses.slice(from, from + BATCH), signal);
}

async function probe(
  file: string,
  addresses: readonly bigint[],
  signal: AbortSignal,
): Promise<void> {
  await work(
    (tape) => {
      const fd = tape.fd(`open ${file}`, openat(AT_FDCWD, file, O.WRONLY));
      for (const address of addresses) {
        const text = `0x${address.toString(16).toUpperCase()}`;
        tape.do(`write ${text} to ${file}`, writeText(fd, text));
      }
    },
    { timeoutMs: TIMEOUT_MS, signal },
  );
}
