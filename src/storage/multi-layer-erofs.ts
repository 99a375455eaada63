// A root file system of EROFS images, each a disk or a partition of one, under a layer to write to.
// storage-devices-network.md section 2.14.
import { type FindBlock, blockAt } from "../device/block.ts";
import type { Hotplug } from "../device/hotplug.ts";
import { makeDirectories } from "./directories.ts";
import type { Attach, AttachContext, GroupDriver } from "./driver.ts";
import {
  MULTI_LAYER,
  type Layer,
  type LayerStorage,
  type Layers,
  groupLayers,
  isLayer,
  partitionNode,
} from "./layer.ts";
import { mount } from "./mount.ts";
import { mountProgram } from "./mount-program.ts";
import { verityDevice } from "./verity-device.ts";

export const multiLayerErofs: GroupDriver = {
  name: MULTI_LAYER,
  takes: isLayer,
  plan: (storages) => {
    const layers = groupLayers(storages);
    const lasts = storages.some(({ shared }) => shared);
    return { target: layers.target, lasts, attach: planLayers(layers) };
  },
};

/** A layer, and how the disk that has it is found. */
type PlannedLayer = { readonly layer: Layer; readonly find: FindBlock };

function planLayers({ upper, lowers, target }: Layers): Attach {
  const planned = lowers.map(planLayer);
  const plannedUpper = upper && planLayer(upper);
  return async (context) => {
    const own = `/run/kata-containers/${context.containerId ?? "sandbox"}`;
    const base = `${own}/multi-layer`;
    // The target is in a directory of the container's own, which nobody else takes away.
    await makeDirectories([own, base, parentOf(target)], context);
    const written = `${base}/upper`;
    if (plannedUpper !== undefined) await mountLayer(plannedUpper, written, context);
    else await mount({ ...MEMORY, target: written }, context);
    const layers = [...(upper ? [upper] : []), ...lowers];
    await makeInLayer(layers, "upper", written, context);
    const at = (index: number) => `lower-${index}`;
    await all(planned.map((each, index) => mountLayer(each, `${base}/${at(index)}`, context)));
    await makeInLayer(layers, "first lower", `${base}/${at(0)}`, context);
    await makeInside([`${written}/upper`, `${written}/work`], context);
    // Names that start at `base` are short: mount(2) takes some hundred of them in one page.
    const below = planned.map((_, index) => at(index)).join(":");
    const options = ["upperdir=upper/upper", "workdir=upper/work", `lowerdir=${below}`];
    await mount({ source: "overlay", fstype: "overlay", target, options, from: base }, context);
  };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Nothing is to be kept of what is written. */
const MEMORY = { source: "tmpfs", fstype: "tmpfs", options: ["mode=700"] };

function planLayer(layer: Layer): PlannedLayer {
  const { bus, storage } = layer;
  const find = blockAt(bus, storage.source);
  // For what it throws.
  mountProgram({ ...storage, target: storage.mountPoint, options: optionsOf(storage) });
  return { layer, find };
}

async function mountLayer(
  { layer, find }: PlannedLayer,
  target: string,
  context: AttachContext,
): Promise<void> {
  const { hotplug } = context.services;
  const { partition, verity, storage } = layer;
  let source = await find(hotplug, context.signal);
  if (partition !== undefined) {
    source = await partitionAt(source, partition, hotplug, context.signal);
  }
  if (verity !== undefined) source = await verityDevice(source, verity, context);
  await mount({ source, fstype: storage.fstype, target, options: optionsOf(storage) }, context);
}

/**
 * An image is never written to, whatever the host says, and what else it says is how containerd would
 * have mounted the image's file.
 */
function optionsOf({ fstype, options }: LayerStorage): readonly string[] {
  return fstype === "erofs" ? ["ro"] : options;
}

/** The kernel reads a disk's partitions after it has told of the disk. */
async function partitionAt(
  disk: string,
  number: number,
  hotplug: Hotplug,
  signal: AbortSignal,
): Promise<string> {
  const node = partitionNode(disk, number);
  const name = node.slice(hotplug.dev.length + 1);
  const matches = (device: { readonly devname: string }) => device.devname === name;
  await hotplug.find({ name: `of partition ${node}`, place: { class: "block" }, matches }, signal);
  return node;
}

async function makeInLayer(
  layers: readonly Layer[],
  which: "upper" | "first lower",
  root: string,
  context: AttachContext,
): Promise<void> {
  const directories = layers.flatMap((layer) => layer.directories);
  const wanted = directories.filter(({ layer }) => layer === which);
  await makeInside(
    wanted.map(({ names }) => [root, ...names].join("/")),
    context,
  );
}

/** They go with the mount that they are in, or are to stay there. */
async function makeInside(paths: readonly string[], context: AttachContext): Promise<void> {
  await makeDirectories(paths, { ...context, undo: new AsyncDisposableStack() });
}

/** When the first has failed, the others may still be at it: what they do has to be undone as well. */
async function all(mounts: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(mounts);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
