// All drivers. To add one: its file, its line here, and its rows in the contract suite.
import { BLOCK_DRIVERS } from "./block.ts";
import { bind } from "./bind.ts";
import type { Driver, GroupDriver } from "./driver.ts";
import { ephemeral } from "./ephemeral.ts";
import { imageGuestPull } from "./image-guest-pull.ts";
import { local } from "./local.ts";
import { multiLayerErofs } from "./multi-layer-erofs.ts";
import { overlayfs } from "./overlayfs.ts";
import { virtioFs } from "./virtio-fs.ts";
import { watchableBind } from "./watchable-bind.ts";

const LIST: readonly Driver[] = [
  ...BLOCK_DRIVERS,
  bind,
  ephemeral,
  imageGuestPull,
  local,
  overlayfs,
  virtioFs,
  watchableBind,
];

/** By the name that a storage gives. */
export const DRIVERS: ReadonlyMap<string, Driver> = new Map(LIST.map((each) => [each.name, each]));

/** Asked in this order whether a storage is theirs, before `DRIVERS`. */
export const GROUPS: readonly GroupDriver[] = [multiLayerErofs];
