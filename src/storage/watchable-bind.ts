// A volume whose changes are to be seen in the guest, where virtio-fs tells nobody of them.
import { unimplemented } from "../error.ts";
import type { Driver } from "./driver.ts";

export const watchableBind: Driver = {
  name: "watchable-bind",
  plan:
    (storage) =>
    async ({ services, undo, signal }) => {
      if (services.watcher === undefined)
        throw unimplemented(`the storage ${storage.mountPoint}: nothing is watched yet`);
      undo.use(await services.watcher.add(storage, signal));
    },
};
