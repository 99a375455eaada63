// The host's directory that the pod's containers have their files in. The tag is there from the start.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import type { Driver } from "./driver.ts";
import { planMount } from "./mount-storage.ts";
import { mountsAt } from "./mount.ts";

/** Kata's share: a guest may come up with it mounted. */
const SHARE = "kataShared";

/** struct virtio_fs_config of linux/virtio_fs.h */
const LONGEST_TAG = 36;

export const virtioFs: Driver = {
  name: "virtio-fs",
  plan: (storage) => {
    const { source, mountPoint } = storage;
    if (Buffer.byteLength(source) > LONGEST_TAG)
      throw new InvalidSpec(`the storage ${mountPoint}: ${quote(source)} is no virtio-fs tag`);
    const attach = planMount(storage);
    return async (context) => {
      if (source !== SHARE || mountsAt(mountPoint).length === 0) return attach(context);
      context.services.warn("the share is mounted already", { target: mountPoint });
    };
  },
};
