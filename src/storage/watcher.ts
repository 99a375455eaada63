// Volumes on virtio-fs, which tells nobody of changes: each is copied into a file system of the guest's own
// memory again and again, where whoever waits for a change hears of it. storage-devices-network.md section 8.
import { NEVER } from "../async/never.ts";
import { work } from "../child/work.ts";
import { internal } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import type { Warn, Watching } from "./driver.ts";
import { describeFailure } from "./failure.ts";
import { mount } from "./mount.ts";
import { openExisting } from "./place.ts";
import { StorageTable } from "./table.ts";
import { Watch } from "./watch.ts";
import type { WatchedPlace } from "./watched-place.ts";

/** As Kata's agent. */
const PAUSE_MS = 2000;
const OPENED_IN_MS = 10_000;

export class Watcher implements Watching {
  readonly #services: { readonly warn: Warn };
  readonly #pauseMs: number;
  /** One file system for all, which goes with the last of them. */
  readonly #roots: StorageTable;
  readonly #watches = new Map<Watch, string>();
  #isRunning = false;

  constructor(warn: Warn, pauseMs = PAUSE_MS) {
    this.#services = { warn };
    this.#pauseMs = pauseMs;
    this.#roots = new StorageTable((target, error) =>
      warn("watched volumes are not taken back", { target, error: describeFailure(error) }),
    );
  }

  /**
   * Keep a copy of `source` at the place: the first is there when this resolves. Disposed, it is watched no
   * longer, and the copy is gone. Throws an AgentError, a KernelError, and what `signal` says; then nothing is left.
   */
  async add(source: string, place: WatchedPlace, signal: AbortSignal): Promise<AsyncDisposable> {
    if (this.#roots.targets.some((root) => root !== place.root))
      throw internal("watchable mounts must use the same tmpfs root");
    await using undo = new AsyncDisposableStack();
    undo.use(await this.#holdRoot(place.root, signal));
    const root = undo.use(await openRoot(place.root, signal));
    const watch = new Watch(source, place, root, this.#services);
    undo.defer(() => watch.end());
    await watch.update(signal);
    this.#watches.set(watch, "");
    undo.defer(() => void this.#watches.delete(watch));
    void this.#run();
    return undo.move();
  }

  #holdRoot(root: string, signal: AbortSignal): Promise<AsyncDisposable> {
    const tmpfs = { source: "tmpfs", fstype: "tmpfs", options: [] };
    const request = { ...tmpfs, target: root, stays: true } as const;
    const services = this.#services;
    return this.#roots.hold(
      root,
      (undo, stop) => mount(request, { undo, signal: stop, services }),
      signal,
    );
  }

  /** One after the other: a host's file system is not asked by many at once, however many there are. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#watches.size > 0) {
      await new Promise<void>((resolve) => void setTimeout(resolve, this.#pauseMs).unref());
      for (const watch of this.#watches.keys()) await this.#update(watch);
    }
    this.#isRunning = false;
  }

  /** What goes wrong is said once, not every two seconds. */
  async #update(watch: Watch): Promise<void> {
    let problem = "";
    try {
      await watch.update(NEVER);
    } catch (error) {
      problem = describeFailure(error);
      if (problem !== this.#watches.get(watch)) {
        const fields = { volume: watch.source, error: problem };
        this.#services.warn("a watched volume is not up to date", fields);
      }
    }
    if (this.#watches.has(watch)) this.#watches.set(watch, problem);
  }
}

/** Found by a child: the way there may lead through the host's file system. */
async function openRoot(path: string, signal: AbortSignal): Promise<Fd> {
  let root: Fd | undefined;
  const take = async (given: Fd) => {
    root = new Fd(given.release());
  };
  await work((tape) => tape.hand(`hand over ${path}`, openExisting(tape, path)), {
    signal,
    take,
    timeoutMs: OPENED_IN_MS,
  });
  if (root === undefined) throw new Error(`${path} was not handed over`);
  return root;
}
