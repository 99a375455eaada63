// A volume whose changes are to be seen in the guest, where virtio-fs tells nobody of them.
import type { Driver } from "./driver.ts";
import { checkedPath } from "./target.ts";
import { watchedPlace } from "./watched-place.ts";

export const watchableBind: Driver = {
  name: "watchable-bind",
  plan: ({ source, mountPoint }) => {
    const place = watchedPlace(mountPoint);
    const path = checkedPath(`the storage ${mountPoint}: source`, source);
    return async ({ services, containerId, undo, signal }) => {
      // For the pod itself there is nobody who would look, and Kata's agent does nothing, too.
      if (containerId === undefined) return;
      undo.use(await services.watcher.add(path, place, signal));
    };
  },
};
