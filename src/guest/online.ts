// Processors and memory that the host has plugged in take part only once somebody has written so
// (rpc.md 6.26; Documentation/admin-guide/mm/memory-hotplug.rst). The kernel may take its time with such
// a write, so it is a child's.
import { paced } from "../async/paced.ts";
import { until } from "../async/until.ts";
import { work } from "../child/work.ts";
import { internal } from "../error.ts";
import { listDirectories, readText, tryReadText, writeText } from "../kernel/file.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { openat } from "../linux/fs.ts";
import { close, writeText as write } from "../linux/io.ts";
import { numbersOf } from "../linux/number-list.ts";
import { O } from "../linux/open-flags.ts";
import { TapeError } from "../tape/error.ts";
import type { Tape } from "../tape/tape.ts";

export const PROCESSORS = "/sys/devices/system/cpu";
export const MEMORY = "/sys/devices/system/memory";

/** Processors can show up a while after the runtime has plugged them in. */
const PROCESSORS_IN_MS = 5_000;

/** For the kernel to take so many blocks, of 128 MiB mostly, or one processor. */
const BATCH = 32;
const BATCH_TIMEOUT_MS = 60_000;

/** What is plugged in meanwhile is taken, too, but not for ever. */
const MOST_PASSES = 100;

/**
 * Have `wanted` processors online in all. Throws an AgentError that tells how many there are where
 * they are not enough within `patienceMs`, and what `signal` says.
 */
export async function onlineProcessors(
  wanted: number,
  signal: AbortSignal,
  { directory = PROCESSORS, patienceMs = PROCESSORS_IN_MS } = {},
): Promise<void> {
  const count = () => numbersOf(readText(`${directory}/online`).trim()).size;
  const isEnough = async () => {
    signal.throwIfAborted();
    let missing = wanted - count();
    if (missing <= 0) return true;
    for (const file of await offlineIn(directory, "cpu")) {
      await writeOnline([file], signal);
      if (!isOffline(file) && --missing === 0) break;
    }
    return count() >= wanted;
  };
  if (await until(isEnough, patienceMs)) return;
  const there = count();
  throw internal(
    `online cpus: failed to online ${wanted - there} CPU(s) after 100 retries: ${there} of ${wanted} are online`,
  );
}

/**
 * Have all memory online. Resolves with how many blocks the kernel keeps offline. Throws a
 * KernelError where it knows nothing of memory that comes and goes, and what `signal` says.
 */
export async function onlineMemory(
  signal: AbortSignal,
  { directory = MEMORY } = {},
): Promise<number> {
  let left = await offlineIn(directory, "memory");
  for (let pass = 0; pass < MOST_PASSES && left.length > 0; pass++) {
    const before = new Set(left);
    for (let from = 0; from < left.length; from += BATCH)
      await writeOnline(left.slice(from, from + BATCH), signal);
    left = await offlineIn(directory, "memory");
    if (left.every((path) => before.has(path))) break;
  }
  return left.length;
}

/**
 * Have the kernel take the memory that is yet to come by itself. Of a virtio-mem device it gets no more
 * than 1 GiB ahead of whoever does it. Nothing where it knows no such thing.
 */
export function onlineMemoryToCome(directory = MEMORY): void {
  const file = `${directory}/auto_online_blocks`;
  // Else whoever has started the guest has said in which way.
  if (tryReadText(file)?.trim() === "offline") writeText(file, "online");
}

/** The files to write to, by number. Memory can be thousands of blocks. */
async function offlineIn(directory: string, kind: "cpu" | "memory"): Promise<string[]> {
  const numbers = listDirectories(directory)
    .flatMap((name) => new RegExp(`^${kind}(\\d+)$`).exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((one, other) => one - other);
  const offline: string[] = [];
  for await (const number of paced(numbers)) {
    const file = `${directory}/${kind}${number}/online`;
    if (isOffline(file)) offline.push(file);
  }
  return offline;
}

/** The first processor has no such file. One that goes while we look cannot be read. */
function isOffline(file: string): boolean {
  try {
    return tryReadText(file)?.trim() === "0";
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

/** What the kernel does not take now stays offline, and the next ones are tried. */
async function writeOnline(files: readonly string[], signal: AbortSignal): Promise<void> {
  const label = (file: string) => `write 1 to ${file}`;
  const program = (tape: Tape) => {
    for (const file of files) {
      const fd = tape.fd(label(file), openat(AT_FDCWD, file, O.WRONLY));
      tape.do(label(file), write(fd, "1"));
      tape.do(label(file), close(fd));
    }
  };
  try {
    await work(program, { timeoutMs: BATCH_TIMEOUT_MS, signal });
  } catch (error) {
    const refused = files.findIndex(
      (file) => error instanceof TapeError && error.label === label(file),
    );
    if (refused < 0) throw signal.aborted ? error : internal(`${label(files[0] ?? "")}: ${error}`);
    const others = files.slice(refused + 1);
    if (others.length > 0) await writeOnline(others, signal);
  }
}
