// Disks: storage-devices-network.md sections 2.8 and 2.9. Each of the drivers knows another way in which a
// disk is plugged in; what is done with it is the same.
import {
  BLOCK_KINDS,
  type BlockKind,
  type FindBlock,
  blockAt,
  comingNode,
} from "../device/block.ts";
import { deviceAt } from "../device/node.ts";
import { internal } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { Driver } from "./driver.ts";
import { planFilesystem } from "./make-filesystem.ts";
import { mountStorage, planMount } from "./mount-storage.ts";
import type { Storage } from "./storage.ts";
import { checkedPath } from "./target.ts";

export const BLOCK_DRIVERS: readonly Driver[] = BLOCK_KINDS.map(blockDriver);

function blockDriver(kind: BlockKind): Driver {
  return {
    name: kind,
    plan: (storage) => {
      const find = finderOf(kind, storage);
      const makeFilesystem = planFilesystem(storage);
      // For what it throws: whatever node it will be.
      planMount({ ...storage, source: "/dev/disk" });
      return async (context) => {
        const source = await find(context.services.hotplug, context.signal);
        await makeFilesystem?.(source, context.signal);
        await mountStorage({ ...storage, source }, context);
      };
    },
  };
}

/**
 * A disk of the first of them may be known by its node as well: runtime-rs names those of vhost-user so,
 * right after it has plugged them in. What is in a directory below /dev has to be there.
 */
function finderOf(kind: BlockKind, { source, mountPoint }: Storage): FindBlock {
  if (kind !== "blk" || !source.startsWith("/dev")) return blockAt(kind, source);
  const path = checkedPath(`the storage ${mountPoint}: the source`, source);
  const find = comingNode(path);
  return async (hotplug, signal) => {
    await find?.(hotplug, signal);
    if (deviceAt(path).type !== "b") throw internal(`Invalid device ${quote(source)}`);
    return path;
  };
}
