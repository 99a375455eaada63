// Volumes on virtio-fs whose changes nobody tells of: storage-devices-network.md section 8.
import type { Storage } from "./storage.ts";

/** Mirrors a source into a guest's own file system again and again. */
export type Watcher = {
  /** Throws InvalidSpec for what cannot be watched; nothing is done. */
  check(storage: Storage): void;
  /**
   * Mirror `source` at `mountPoint`: the first copy is there when this resolves. Disposed, it is watched no
   * longer, and the copy is gone. Throws, and then nothing is left.
   */
  add(storage: Storage, signal: AbortSignal): Promise<AsyncDisposable>;
};
