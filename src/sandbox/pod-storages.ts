// What is mounted for the pod, and for each of its containers until that is removed.
import type { Hotplug } from "../device/hotplug.ts";
import type { StorageServices } from "../storage/driver.ts";
import { HugePages } from "../storage/huge-pages.ts";
import type { Storage } from "../storage/storage.ts";
import { type HeldStorages, Storages } from "../storage/storages.ts";

export class PodStorages {
  readonly #storages: Storages;
  /** By the id of the container. */
  readonly #held = new Map<string, HeldStorages>();

  constructor(hotplug: Hotplug, warn: StorageServices["warn"]) {
    this.#storages = new Storages({ hotplug, warn, hugePages: new HugePages() });
  }

  /** Until the pod ends; again is nothing. Throws, and then nothing of the request is left. */
  addForPod(storages: readonly Storage[], signal: AbortSignal): Promise<void> {
    return this.#storages.addForPod(storages, signal);
  }

  /** Until `release`. Throws, and then nothing of the request is left. */
  async add(
    containerId: string,
    storages: readonly Storage[],
    signal: AbortSignal,
  ): Promise<HeldStorages | undefined> {
    if (storages.length === 0) return undefined;
    const held = await this.#storages.add(storages, { containerId, signal });
    this.#held.set(containerId, held);
    return held;
  }

  /** What the container alone has used is taken back, the last one first. */
  async release(containerId: string): Promise<void> {
    const held = this.#held.get(containerId);
    this.#held.delete(containerId);
    await held?.[Symbol.asyncDispose]();
  }

  /** Change the options of what is mounted in the guest's memory. */
  updateEphemeral(storages: readonly Storage[], signal: AbortSignal): Promise<void> {
    return this.#storages.updateEphemeral(storages, signal);
  }

  /** Everything: nobody uses it any more. */
  end(): Promise<void> {
    this.#held.clear();
    return this.#storages.end();
  }
}
