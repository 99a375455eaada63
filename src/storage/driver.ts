// What the engine asks of a driver, and what a driver is given. A driver checks a storage first, when
// nothing has been done for the request yet, and mounts it later.
import type { Hotplug } from "../device/hotplug.ts";
import type { HugePages } from "./huge-pages.ts";
import type { Storage } from "./storage.ts";
import type { StorageTable } from "./table.ts";
import type { WatchedPlace } from "./watched-place.ts";

export type Driver = {
  /** As a storage names it. */
  readonly name: string;
  /** What it makes is the pod's: it stays when the last container that uses it goes. */
  readonly lasts?: boolean;
  /**
   * Read what the storage asks for; its mount point has been checked already. Nothing is done yet.
   * Throws InvalidSpec or an AgentError for what cannot be done.
   */
  readonly plan: (storage: Storage) => Attach;
};

/** A driver that makes one mount of several storages of a request. */
export type GroupDriver = {
  /** As the host is told it. */
  readonly name: string;
  /** True for a storage that it takes, whatever driver it names. */
  readonly takes: (storage: Storage) => boolean;
  /** As `Driver.plan`, for all that it takes of one request, in their order; at least one. */
  readonly plan: (storages: readonly Storage[]) => Planned;
};

/** A mount that is to be made. */
export type Planned = {
  /** The mount point: who names the same shares the mount. */
  readonly target: string;
  readonly lasts: boolean;
  readonly attach: Attach;
};

/** Mount it. What it throws fails the request, and `undo` is run. */
export type Attach = (context: AttachContext) => Promise<void>;

export type AttachContext = {
  /** Aborted when nobody waits for the mount any more. */
  readonly signal: AbortSignal;
  /**
   * How each step is taken back, put there by the driver before the step or right after it. It is run
   * when a later step fails, or when the mount is no longer used. What a step throws is logged.
   */
  readonly undo: AsyncDisposableStack;
  /** undefined: it is mounted for the pod. */
  readonly containerId: string | undefined;
  /** Devices that the pod's mounts are made on, by name: two mounts may share one. */
  readonly devices: StorageTable;
  readonly services: StorageServices;
};

/** What of the sandbox drivers use. */
export type StorageServices = {
  readonly warn: Warn;
  readonly hugePages: HugePages;
  readonly hotplug: Hotplug;
  readonly watcher: Watching;
};

/** Keeps copies up to date: `Watcher`. */
export type Watching = {
  readonly add: (
    source: string,
    place: WatchedPlace,
    signal: AbortSignal,
  ) => Promise<AsyncDisposable>;
};

export type Warn = (message: string, fields: Readonly<Record<string, string>>) => void;
