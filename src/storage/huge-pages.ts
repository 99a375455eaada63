// Huge pages of the guest: their number is one for all volumes, so each adds its own and takes them away
// again.
import { NEVER } from "../async/never.ts";
import { Mutex } from "../async/mutex.ts";
import { work } from "../child/work.ts";
import { internal } from "../error.ts";
import { readText, tryReadText } from "../kernel/file.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";

const DIRECTORY = "/sys/kernel/mm/hugepages";
/** The kernel makes room for them before it answers. */
const LONGEST_MS = 60_000;

export class HugePages {
  readonly #directory: string;
  readonly #queue = new Mutex();

  constructor(directory = DIRECTORY) {
    this.#directory = directory;
  }

  /**
   * Have `count` pages of `size` bytes more than there are; the disposed result gives them back. Throws an
   * AgentError when the guest has no such pages or not so many, and what `signal` says; then there are as
   * many as before.
   */
  async add(size: number, count: number, signal: AbortSignal): Promise<AsyncDisposable> {
    const file = `${this.#directory}/hugepages-${size / 1024}kB/nr_hugepages`;
    await this.#queue.run(async () => {
      const before = tryReadText(file);
      if (before === undefined) throw internal(`the guest has no huge pages of ${size} bytes`);
      await using undo = new AsyncDisposableStack();
      const gained = () => Number(readText(file)) - Number(before);
      // A child that is killed may have got some, or all.
      undo.defer(() => (gained() === 0 ? undefined : setCount(file, Number(before), NEVER)));
      await setCount(file, Number(before) + count, signal);
      const got = gained();
      if (got < count)
        throw internal(`Only allocated ${got} of ${count} hugepages of size ${size}`);
      undo.move();
    });
    return { [Symbol.asyncDispose]: () => this.#remove(file, count) };
  }

  #remove(file: string, count: number): Promise<void> {
    return this.#queue.run(() =>
      setCount(file, Math.max(Number(readText(file)) - count, 0), NEVER),
    );
  }
}

async function setCount(file: string, count: number, signal: AbortSignal): Promise<void> {
  await work(
    (tape) => {
      const open = openat(AT_FDCWD, file, O.WRONLY);
      const opened = tape.fd(`open ${file}`, open);
      tape.do(`write ${count} to ${file}`, writeText(opened, String(count)));
    },
    { signal, timeoutMs: LONGEST_MS },
  );
}
