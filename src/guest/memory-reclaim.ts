// Memory that no container has used for a while is given back, cgroup by cgroup: process.md section 5.4.
import { paced } from "../async/paced.ts";
import { work } from "../child/work.ts";
import { internal } from "../error.ts";
import { readTextAsync } from "../kernel/file-async.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { writeText } from "../linux/io.ts";
import { type Generations, agingCommand, evictionCommand, parseLruGen } from "../linux/lru-gen.ts";
import { O } from "../linux/open-flags.ts";
import type { ReclaimSettings } from "./memory-agent-settings.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { Pressure } from "./memory-pressure.ts";

const YOUNG_MS = 60_000;
/** The kernel keeps at most as many; with fewer the oldest is not old. */
const GENERATIONS = 4;
const LEAST_SWAP_PAGES = 256;
const MOST_SWAPPINESS = 200;
/** Of the nodes of all cgroups that a guest may have. */
const MOST_ROUNDS = 10_000;
const COMMAND_TIMEOUT_MS = 60_000;

type Watched = { agings: bigint; readonly pressure: Pressure };

export class Reclaim {
  readonly #files: MemoryFiles;
  /** By cgroup and node. One that has gone is forgotten at the next look. */
  #watched = new Map<string, Watched>();

  constructor(files: MemoryFiles) {
    this.#files = files;
  }

  /** One look. Throws what the kernel refuses with, and what `signal` says. */
  async run(settings: ReclaimSettings, signal: AbortSignal): Promise<void> {
    const found = await this.#look();
    const watched = new Map<string, Watched>();
    for await (const each of paced(found)) watched.set(keyOf(each), this.#watchedOf(each));
    this.#watched = watched;
    const due = new Set<string>();
    for await (const each of paced(found)) {
      signal.throwIfAborted();
      if (await this.#age(each, settings, signal)) due.add(keyOf(each));
    }
    await this.#evict(due, settings, signal);
  }

  /** Whether its oldest memory may go. */
  async #age(each: Generations, settings: ReclaimSettings, signal: AbortSignal): Promise<boolean> {
    const watched = this.#watchedOf(each);
    if (watched.pressure.percent() > settings.periodPsiPercentLimit) return false;
    if (each.ageMs >= YOUNG_MS) {
      await this.#command(agingCommand(each, settings.swap), signal);
      watched.agings++;
    }
    return watched.agings >= settings.evictionRunAgingCountMin;
  }

  /** A little of each in turn, until none has any more that is worth it. */
  async #evict(due: Set<string>, settings: ReclaimSettings, signal: AbortSignal): Promise<void> {
    const before = new Map<string, Generations>();
    for (let round = 0; round < MOST_ROUNDS && due.size > 0; round++) {
      const now = new Map((await this.#look()).map((each) => [keyOf(each), each]));
      const canSwap = settings.swap && (await this.#hasSwap());
      for await (const key of paced([...due])) {
        signal.throwIfAborted();
        const each = now.get(key);
        const last = before.get(key);
        if (each === undefined || !this.#isWorthIt(each, last, canSwap, settings)) {
          due.delete(key);
          continue;
        }
        before.set(key, each);
        await this.#command(evictionCommand(each, swappinessFor(each, canSwap, settings)), signal);
      }
    }
  }

  #isWorthIt(
    each: Generations,
    last: Generations | undefined,
    canSwap: boolean,
    { evictionPsiPercentLimit }: ReclaimSettings,
  ): boolean {
    if (each.maxSeq - each.minSeq + 1 !== GENERATIONS) return false;
    if (each.file === 0 && !(canSwap && each.anon > 0)) return false;
    if (last !== undefined && each.file >= last.file && each.anon >= last.anon) return false;
    // The first look is that of this period.
    return (
      last === undefined || this.#watchedOf(each).pressure.percent() <= evictionPsiPercentLimit
    );
  }

  #watchedOf(each: Generations): Watched {
    const directory = `${this.#files.cgroups}${each.path}`;
    return this.#watched.get(keyOf(each)) ?? { agings: 0n, pressure: Pressure.of(directory, true) };
  }

  async #look(): Promise<Generations[]> {
    const text = await readTextAsync(this.#files.lruGen);
    if (text === undefined) throw internal(`${this.#files.lruGen} cannot be read`);
    return parseLruGen(text);
  }

  async #hasSwap(): Promise<boolean> {
    const text = (await readTextAsync(`${this.#files.proc}/meminfo`)) ?? "";
    const kilobytes = Number(/^SwapFree:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0);
    return kilobytes / 4 > LEAST_SWAP_PAGES;
  }

  /** The kernel may be long at it. */
  async #command(command: string, signal: AbortSignal): Promise<void> {
    const { lruGen } = this.#files;
    await work(
      (tape) => {
        const file = tape.fd(`open ${lruGen}`, openat(AT_FDCWD, lruGen, O.WRONLY));
        tape.do(`write ${command} to ${lruGen}`, writeText(file, command));
      },
      { timeoutMs: COMMAND_TIMEOUT_MS, signal },
    );
  }
}

/** How much rather anonymous memory than files. */
export function swappinessFor(
  { anon, file }: Pick<Generations, "anon" | "file">,
  canSwap: boolean,
  { swappinessMax }: Pick<ReclaimSettings, "swappinessMax">,
): number {
  if (!canSwap || anon === 0) return 0;
  if (file === 0) return MOST_SWAPPINESS;
  return Math.min(Math.round((MOST_SWAPPINESS * anon) / (anon + file)), swappinessMax);
}

function keyOf({ memcg, path, node }: Generations): string {
  return `${memcg} ${node} ${path}`;
}
