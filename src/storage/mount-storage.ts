// What most drivers come to: a mount at the storage's mount point, given to its group.
import type { Attach, AttachContext } from "./driver.ts";
import { giveToGroup } from "./fs-group.ts";
import { mount } from "./mount.ts";
import { mountProgram } from "./mount-program.ts";
import type { Storage } from "./storage.ts";

/** Plan to mount it as it is. Throws InvalidSpec. */
export function planMount(storage: Storage): Attach {
  // For what it throws.
  mountProgram(requestOf(storage));
  return (context) => mountStorage(storage, context);
}

/** Throws as `mount` and `giveToGroup` do. */
export async function mountStorage(storage: Storage, context: AttachContext): Promise<void> {
  await mount(requestOf(storage), context);
  await giveToGroup(storage, context);
}

function requestOf({ source, fstype, mountPoint, options }: Storage) {
  return { source, fstype, target: mountPoint, options };
}
