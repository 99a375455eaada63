// How much of the time somebody had to wait for memory or for a disk: Documentation/accounting/psi.rst.
import { listDirectories, tryReadText } from "../kernel/file.ts";
import { KernelError } from "../linux/error.ts";

/** Microseconds of waiting in a cgroup and all that is nested in it. 0 for one that has gone. */
function stallOf(directory: string): number {
  return totalIn(`${directory}/memory.pressure`) + totalIn(`${directory}/io.pressure`);
}

function totalIn(file: string): number {
  try {
    return Number(/^some .*\btotal=(\d+)/m.exec(tryReadText(file) ?? "")?.[1] ?? 0);
  } catch (error) {
    // ENODEV: it has gone since it was opened.
    if (error instanceof KernelError) return 0;
    throw error;
  }
}

/** The same without what is nested in it. */
function ownStallOf(directory: string): number {
  const nested = namesIn(directory).map((name) => stallOf(`${directory}/${name}`));
  return Math.max(stallOf(directory) - nested.reduce((sum, each) => sum + each, 0), 0);
}

function namesIn(directory: string): string[] {
  try {
    return listDirectories(directory);
  } catch (error) {
    if (error instanceof KernelError) return [];
    throw error;
  }
}

/** Percent of the time since it was last asked. */
export class Pressure {
  readonly #stall: () => number;
  #stalled: number;
  #at = performance.now();

  private constructor(stall: () => number) {
    this.#stall = stall;
    this.#stalled = stall();
  }

  /** `own`: without what is nested in the cgroup. */
  static of(directory: string, own: boolean): Pressure {
    return new Pressure(() => (own ? ownStallOf(directory) : stallOf(directory)));
  }

  percent(): number {
    const [stalled, at] = [this.#stall(), performance.now()];
    const waited = stalled - this.#stalled;
    const elapsed = Math.max((at - this.#at) * 1000, 1);
    [this.#stalled, this.#at] = [stalled, at];
    return (waited * 100) / elapsed;
  }
}
