// Free memory is put together in larger pieces, which the host can take back: process.md section 5.5.
import { work } from "../child/work.ts";
import { readTextAsync } from "../kernel/file-async.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { LONGEST_TIMER_MS } from "../async/timeout.ts";
import type { CompactSettings } from "./memory-agent-settings.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { Pressure } from "./memory-pressure.ts";

const LOOK_AGAIN_MS = 1_000;
/** So many times, and it means never. */
const NEVER = 0x7fff_ffff_ffff_ffffn;
/** How much more memory has to be in use than once was. */
const USED = 4n;

/** As they were after the last compaction. */
type State = { readonly freeKilobytes: bigint; readonly movablePages: bigint };

export class Compaction {
  readonly #files: MemoryFiles;
  readonly #period: Pressure;
  #last: State = { freeKilobytes: 0n, movablePages: 0n };
  #skipped = 0n;

  constructor(files: MemoryFiles) {
    this.#files = files;
    this.#period = Pressure.of(files.cgroups, false);
  }

  /** One look. Gives whether there was a compaction. Throws what the kernel refuses with, and what `signal` says. */
  async run(settings: CompactSettings, signal: AbortSignal): Promise<boolean> {
    const isCalm = this.#period.percent() <= settings.periodPsiPercentLimit;
    if (!isCalm || !(await this.#isNeeded(settings))) {
      this.#skipped++;
      return false;
    }
    await this.#compact(settings, signal);
    this.#last = await this.#state(settings.compactOrder);
    this.#skipped = 0n;
    return true;
  }

  async #isNeeded(settings: CompactSettings): Promise<boolean> {
    const { compactForceTimes: most, compactThreshold: threshold, compactOrder } = settings;
    if (most < NEVER && this.#skipped >= most) return true;
    const { freeKilobytes, movablePages } = await this.#state(compactOrder);
    return (
      this.#last.freeKilobytes - freeKilobytes > USED * threshold ||
      movablePages > this.#last.movablePages + threshold
    );
  }

  async #state(order: number): Promise<State> {
    const meminfo = (await readTextAsync(`${this.#files.proc}/meminfo`)) ?? "";
    const pages = (await readTextAsync(`${this.#files.proc}/pagetypeinfo`)) ?? "";
    return {
      freeKilobytes: BigInt(/^MemFree:\s*(\d+) kB$/m.exec(meminfo)?.[1] ?? 0),
      movablePages: movablePagesBelow(order, pages),
    };
  }

  /** Others come first: when they have to wait for memory, or it takes too long, it ends half-way. */
  async #compact(settings: CompactSettings, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const pressure = Pressure.of(this.#files.cgroups, false);
    const watch = setInterval(() => {
      if (pressure.percent() > settings.compactPsiPercentLimit) enough.abort();
    }, LOOK_AGAIN_MS);
    const milliseconds = Math.max(Number(settings.compactSecMax) * 1000, 0);
    const late = setTimeout(() => enough.abort(), Math.min(milliseconds, LONGEST_TIMER_MS));
    const file = `${this.#files.proc}/sys/vm/compact_memory`;
    try {
      await work(
        (tape) => {
          const fd = tape.fd(`open ${file}`, openat(AT_FDCWD, file, O.WRONLY));
          tape.do(`write 1 to ${file}`, writeText(fd, "1"));
        },
        { timeoutMs: LONGEST_TIMER_MS, signal: AbortSignal.any([signal, enough.signal]) },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (!enough.signal.aborted) throw error;
    } finally {
      clearInterval(watch);
      clearTimeout(late);
    }
  }
}

/** Free pages in pieces of less than 2^`order` pages, of the kind that can be moved; all nodes and zones. */
export function movablePagesBelow(order: number, pagetypeinfo: string): bigint {
  let pages = 0n;
  for (const [, counts = ""] of pagetypeinfo.matchAll(/^Node.*type\s+Movable\s+([\d\s>]+)$/gm)) {
    const numbers = counts.match(/\d+/g) ?? [];
    for (const [each, count] of numbers.entries())
      if (each < order) pages += BigInt(count) << BigInt(each);
  }
  return pages;
}
