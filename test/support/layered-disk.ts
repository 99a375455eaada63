// A disk as containerd's erofs snapshotter and Kata's runtime make it: a partition for each layer of an
// image, and behind the layer's data the tree of hashes that it is checked against.
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { makeRootfs } from "./rootfs.ts";
import { PATH } from "./vm-root.ts";

const SECTOR = 512;
const BLOCK = 4096;
const MEBIBYTE = 1 << 20;

export type DiskLayer = {
  /** 1, 2, … */
  readonly partition: number;
  readonly rootHash: string;
  readonly salt: string;
  /** In bytes from the start of the partition. */
  readonly hashOffset: number;
  /** Where the partition starts on the disk, in bytes. */
  readonly start: number;
};

export type LayeredDisk = { readonly path: string; readonly layers: readonly DiskLayer[] };

/** `directories`: what is in each layer, the uppermost first. Files go to `into`. */
function makeLayeredDisk(directories: readonly string[], into: string): LayeredDisk {
  const path = join(into, "layers.disk");
  const images = directories.map((directory, index) => makeLayer(directory, into, index + 1));
  let start = MEBIBYTE;
  const placed = images.map((image) => {
    const at = start;
    start += Math.ceil(statSync(image.path).size / MEBIBYTE) * MEBIBYTE;
    return { ...image, start: at };
  });
  writeFileSync(path, "");
  // A copy of the table is at the end.
  truncateSync(path, start + MEBIBYTE);
  const rows = placed.map((image) => {
    const size = Math.ceil(statSync(image.path).size / SECTOR);
    return `start=${image.start / SECTOR}, size=${size}, type=linux`;
  });
  run(["sfdisk", "--quiet", path], ["label: gpt", ...rows, ""].join("\n"));
  for (const image of placed) writeAt(path, image.start, readFileSync(image.path));
  return { path, layers: placed };
}

/** The root of a container in two layers. Both have an etc/layer, and the lower one an etc/only-below. */
export function makeLayeredRoot(into: string): LayeredDisk {
  const [above, below] = [join(into, "above"), join(into, "below")];
  mkdirSync(join(above, "etc"), { recursive: true });
  writeFileSync(join(above, "etc/layer"), "above\n");
  makeRootfs(below);
  for (const name of ["layer", "only-below"]) writeFileSync(join(below, "etc", name), "below\n");
  return makeLayeredDisk([above, below], into);
}

/** Change one byte of the disk. */
export function spoil(path: string, offset: number): void {
  const byte = readFileSync(path).at(offset) ?? 0;
  writeAt(path, offset, new Uint8Array([byte ^ 0xff]));
}

/** An ext4 file system to write to. */
export function makeUpperDisk(into: string): string {
  const path = join(into, "upper.disk");
  writeFileSync(path, "");
  truncateSync(path, 16 * MEBIBYTE);
  run(["mke2fs", "-q", "-t", "ext4", path]);
  return path;
}

const GROUP = "X-kata.multi-layer=true";

/** A layer that is a disk of its own. */
export const WHOLE = "whole";

/**
 * What asks for the layers at `mountPoint`. By the PCI paths of the disks: the one with the layers, and
 * one to write to, else that is done in the guest's memory.
 */
export function layerStorages(
  mountPoint: string,
  layers: readonly (DiskLayer | typeof WHOLE)[],
  { lowers, upper }: { readonly lowers: string; readonly upper?: string },
) {
  const below = layers.map((layer) => ({
    driver: "blk",
    mountPoint,
    source: lowers,
    fstype: "erofs",
    // The last two are containerd's, for where it would have mounted the image's file itself.
    options: [GROUP, "X-kata.overlay-lower", ...partitionOptions(layer), "loop", "device=/x"],
  }));
  if (upper === undefined) return below;
  const kept = "X-kata.mkdir.path={{ mount 0 }}/kept:0755:0:0";
  const options = [GROUP, "X-kata.overlay-upper", kept];
  return [{ driver: "blk", mountPoint, source: upper, fstype: "ext4", options }, ...below];
}

function partitionOptions(layer: DiskLayer | typeof WHOLE): string[] {
  if (layer === WHOLE) return [];
  const { partition, rootHash, salt, hashOffset } = layer;
  return [
    "X-kata.gpt-partitioned=true",
    `X-kata.partition-number=${partition}`,
    "X-kata.dmverity-enabled=true",
    `X-kata.dmverity.roothash=${rootHash}`,
    `X-kata.dmverity.hashoffset=${hashOffset}`,
    `X-kata.dmverity.salt=${salt}`,
  ];
}

function makeLayer(directory: string, into: string, partition: number) {
  const path = join(into, `layer-${partition}`);
  run(["mkfs.erofs", path, directory]);
  const { size } = statSync(path);
  const hashOffset = Math.ceil(size / BLOCK) * BLOCK;
  appendFileSync(path, new Uint8Array(hashOffset - size));
  const blocks = `--data-blocks=${hashOffset / BLOCK}`;
  const said = run(["veritysetup", "format", `--hash-offset=${hashOffset}`, blocks, path, path]);
  const word = (name: string): string => {
    const found = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(said)?.[1];
    if (found === undefined) throw new Error(`veritysetup does not say its ${name}: ${said}`);
    return found;
  };
  return { path, partition, hashOffset, rootHash: word("Root hash"), salt: word("Salt") };
}

function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

function run(command: string[], stdin = ""): string {
  const [name = "", ...args] = command;
  const program = Bun.which(name, { PATH });
  if (program === null) throw new Error(`there is no ${name}`);
  const { stdout, stderr, success } = Bun.spawnSync([program, ...args], {
    stdin: Buffer.from(stdin),
  });
  if (!success) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
  return stdout.toString();
}
