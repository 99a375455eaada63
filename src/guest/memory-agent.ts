// Gives back memory that nobody uses, so that the host can have it: process.md section 5. It looks by
// the clock, at what the kernel knows anyway, and leaves off where anybody has to wait for memory.
import { Mutex } from "../async/mutex.ts";
import { Periodic } from "../async/periodic.ts";
import {
  type Changes,
  type CompactSettings,
  type MemoryAgentSettings,
  type ReclaimSettings,
  changeCompact,
  changeReclaim,
} from "./memory-agent-settings.ts";
import { Compaction } from "./memory-compaction.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { Reclaim } from "./memory-reclaim.ts";

/** After an error: the next look would most likely meet the same. */
const AFTER_ERROR_MS = 300_000;
/** A period of 0 would be a loop without a pause. */
const SHORTEST_PERIOD_MS = 1_000;

export type Report = (what: string, error: unknown) => void;

type Settings = { readonly disabled: boolean; readonly periodSecs: bigint };

export class MemoryAgent implements Disposable {
  readonly #stop = new AbortController();
  /** One after the other: both are for when nothing else is to be done. */
  readonly #turns = new Mutex();
  readonly #report: Report;
  readonly #reclaim: Periodic<ReclaimSettings>;
  readonly #compact: Periodic<CompactSettings>;

  /** The first looks are at once. */
  constructor(files: MemoryFiles, settings: MemoryAgentSettings, report: Report) {
    this.#report = report;
    const { signal } = this.#stop;
    const reclaim = new Reclaim(files);
    const compaction = new Compaction(files);
    this.#reclaim = new Periodic({
      settings: settings.reclaim,
      pauseMs,
      run: (now) => this.#look("reclaim memory", () => reclaim.run(now, signal)),
      signal,
    });
    this.#compact = new Periodic({
      settings: settings.compact,
      pauseMs,
      run: (now) => this.#look("compact memory", () => compaction.run(now, signal)),
      signal,
    });
  }

  /** Throws an AgentError for a value that is none; nothing has changed then. */
  changeReclaim(changes: Changes<ReclaimSettings>): void {
    this.#reclaim.change(changeReclaim(this.#reclaim.settings, changes));
  }

  changeCompact(changes: Changes<CompactSettings>): void {
    this.#compact.change(changeCompact(this.#compact.settings, changes));
  }

  [Symbol.dispose](): void {
    this.#stop.abort(new Error("the memory agent is stopped"));
  }

  /** Gives how much longer to wait for the next look than usual. */
  async #look(what: string, work: () => Promise<unknown>): Promise<number> {
    try {
      await this.#turns.run(work);
      return 0;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#report(what, error);
      return AFTER_ERROR_MS;
    }
  }
}

function pauseMs({ disabled, periodSecs }: Settings): number | undefined {
  if (disabled) return undefined;
  return Math.max(Number(periodSecs) * 1000, SHORTEST_PERIOD_MS);
}
