// What is mounted for the pod and its containers: planned, held, and taken back.
import { internal } from "../error.ts";
import { removeDirectory } from "./directories.ts";
import { describeFailure } from "./failure.ts";
import { DRIVERS, GROUPS } from "./index.ts";
import { checkStorages, planStorages } from "./plan.ts";
import type { StorageServices } from "./driver.ts";
import type { Storage } from "./storage.ts";
import { type Hold, StorageTable } from "./table.ts";
import { updateEphemeral } from "./update-ephemeral.ts";
import { Watcher } from "./watcher.ts";

/** The storages of one request. Disposed, they are given up, the last one first. */
export type HeldStorages = AsyncDisposable & {
  /** The request has been met: what is the pod's stays from now on. */
  readonly keep: () => void;
};

type Asked = {
  /** undefined: they are the pod's. */
  readonly containerId?: string | undefined;
  readonly signal: AbortSignal;
};

export class Storages {
  readonly #services: StorageServices;
  readonly #table: StorageTable;
  readonly #devices: StorageTable;

  constructor(given: Omit<StorageServices, "watcher"> & Partial<StorageServices>) {
    const services = { watcher: new Watcher(given.warn), ...given };
    this.#services = services;
    const report = (target: string, error: unknown) =>
      services.warn("a storage is not taken back", { target, error: describeFailure(error) });
    this.#table = new StorageTable(report);
    this.#devices = new StorageTable(report);
  }

  /** Where something is mounted, or about to be. */
  get targets(): readonly string[] {
    return this.#table.targets;
  }

  /**
   * Mount one after the other, as some lie on others. Throws InvalidSpec or an AgentError before anything is
   * done, what a driver throws, and what `signal` says; then nothing of this request is left.
   */
  async add(storages: readonly Storage[], { containerId, signal }: Asked): Promise<HeldStorages> {
    const planned = planStorages(storages, DRIVERS, GROUPS);
    await using undo = new AsyncDisposableStack();
    // Some are mounted in it. Where the container itself does not make it, nobody else takes it away.
    if (containerId !== undefined)
      undo.defer(() => removeDirectory(`/run/kata-containers/${containerId}`));
    const lasting: Hold[] = [];
    const services = this.#services;
    const devices = this.#devices;
    for (const { target, lasts, attach } of planned) {
      const make = (steps: AsyncDisposableStack, stop: AbortSignal) =>
        attach({ undo: steps, signal: stop, containerId, services, devices });
      const hold = undo.use(await this.#table.hold(target, make, signal));
      if (lasts || containerId === undefined) lasting.push(hold);
    }
    const held = undo.move();
    return {
      keep: () => lasting.forEach((hold) => hold.keep()),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  }

  /** The same until the pod ends; what is mounted already stays as it is. */
  async addForPod(storages: readonly Storage[], signal: AbortSignal): Promise<void> {
    const held = await this.add(storages, { signal });
    held.keep();
    await held[Symbol.asyncDispose]();
  }

  /**
   * Change the options of what is mounted in memory; those without options stay as they are. Throws before
   * anything is done for what is none of these, a TapeError, and what `signal` says.
   */
  async updateEphemeral(storages: readonly Storage[], signal: AbortSignal): Promise<void> {
    const checked = checkStorages(storages);
    const wrong = checked.find(({ driver }) => driver !== "ephemeral");
    if (wrong !== undefined)
      throw internal(
        `Failed to update mounts: Unsupported storage type for syncing mounts ${wrong.driver}. Only ephemeral storage update is supported`,
      );
    for (const storage of checked) {
      if (storage.options.includes("remount")) await updateEphemeral(storage, signal);
      else if (storage.options.length > 0) await this.addForPod([storage], signal);
    }
  }

  /** The pod ends: take all back, the latest first. */
  end(): Promise<void> {
    return this.#table.end();
  }
}
