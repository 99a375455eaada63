// A member of a group of storages that together make one root: EROFS images below, and one directory
// or disk to write to above them. storage-devices-network.md section 2.14.
import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { climbs, components } from "../oci/path-components.ts";
import { MOST_DIRECTORIES, checkedPath } from "./target.ts";
import { type Verity, verityOf } from "./verity.ts";

/** What is looked at of a storage. */
export type LayerStorage = {
  readonly driver: string;
  readonly source: string;
  readonly fstype: string;
  readonly options: readonly string[];
  readonly mountPoint: string;
};

export type Layer = {
  readonly role: "upper" | "lower";
  readonly storage: LayerStorage;
  readonly bus: "blk" | "scsi";
  /** The number of its partition; absent: the whole disk is the layer. */
  readonly partition: number | undefined;
  readonly verity: Verity | undefined;
  readonly directories: readonly LayerDirectory[];
};

/** A directory to make in one of the layers, once that is mounted. */
export type LayerDirectory = {
  readonly layer: "upper" | "first lower";
  /** Below the layer's root, of plain names. */
  readonly names: readonly string[];
};

export const MULTI_LAYER = "erofs.multi-layer";

const OURS = "X-kata.";
/** GPT has 128 entries in practice; the kernel counts no further than 255. */
const LARGEST_PARTITION = 255;

export function isLayer({ driver, options }: LayerStorage): boolean {
  return driver === MULTI_LAYER || options.includes("X-kata.multi-layer=true");
}

/** Throws an AgentError or InvalidSpec that names what is wrong. */
export function layerOf(storage: LayerStorage): Layer {
  const { driver, options, fstype, source } = storage;
  if (driver !== "scsi" && driver !== "blk") {
    throw invalidArgument(`unsupported driver type ${quote(driver)} for multi-layer erofs`);
  }
  const bus = driver;
  const partition = partitionOf(options, source);
  const hasVerity = options.includes("X-kata.dmverity-enabled=true");
  if (hasVerity && partition === undefined) {
    throw invalidArgument(`storage ${quote(source)}: dm-verity needs a partition`);
  }
  return {
    role: roleOf(options, fstype),
    storage,
    bus,
    partition,
    verity: hasVerity ? verityOf(options) : undefined,
    directories: valuesOf(options, "mkdir.path").map(directoryOf),
  };
}

function roleOf(options: readonly string[], fstype: string): Layer["role"] {
  const isUpper = options.includes("X-kata.overlay-upper");
  if (fstype === "ext4" && !options.includes("X-kata.overlay-lower")) return "upper";
  if (isUpper) {
    throw invalidArgument(
      `an upper layer of type ${quote(fstype)}: it must be ext4; without one the guest's memory is written to`,
    );
  }
  if (fstype === "erofs" || options.includes("X-kata.overlay-lower")) return "lower";
  throw invalidArgument(`a layer of type ${quote(fstype)} is neither an upper nor a lower one`);
}

function partitionOf(options: readonly string[], source: string): number | undefined {
  if (!options.includes("X-kata.gpt-partitioned=true")) return undefined;
  const text = valuesOf(options, "partition-number").at(-1) ?? "";
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= LARGEST_PARTITION) return number;
  throw invalidArgument(`storage ${quote(source)}: partition number ${quote(text)} is not valid`);
}

/** As containerd's erofs snapshotter writes it: `{{ mount 0 }}/upper:0755:0:0`. */
function directoryOf(value: string): LayerDirectory {
  const [path = ""] = value.split(":", 1);
  const [, number = "0", below = ""] = /^(?:\{\{ mount ([01]) \}\})?([^{}]*)$/.exec(path) ?? [];
  if (below === "" || climbs(below)) {
    throw invalidArgument(`${OURS}mkdir.path: ${quote(value)} is no path in a layer`);
  }
  const names = components(checkedPath(`${OURS}mkdir.path`, `/${below}`));
  return { layer: number === "0" ? "upper" : "first lower", names };
}

function valuesOf(options: readonly string[], key: string): string[] {
  const start = `${OURS}${key}=`;
  return options.filter((each) => each.startsWith(start)).map((each) => each.slice(start.length));
}

export type Layers = {
  readonly upper: Layer | undefined;
  /** In the order of the overlay: the first hides the others. */
  readonly lowers: readonly Layer[];
  /** Where all of it is seen. */
  readonly target: string;
};

/** Of all members of a request. Throws an AgentError or InvalidSpec. */
export function groupLayers(members: readonly LayerStorage[]): Layers {
  const layers = members.map(layerOf);
  const uppers = layers.filter(({ role }) => role === "upper");
  const lowers = layers.filter(({ role }) => role === "lower");
  if (uppers.length > 1) throw invalidArgument(`${uppers.length} upper layers: one is allowed`);
  const directories = layers.flatMap((layer) => layer.directories).length;
  if (directories > MOST_DIRECTORIES) throw invalidArgument(`${directories} directories in layers`);
  const [upper] = uppers;
  const first = upper ?? lowers[0];
  if (lowers.length === 0 || first === undefined) throw invalidArgument("no lower layer");
  // Only where partitions are used does their number say something.
  const isNumbered = layers.some(({ partition }) => partition !== undefined);
  const order = ({ partition }: Layer) => partition ?? LARGEST_PARTITION + 1;
  return {
    upper,
    lowers: isNumbered ? lowers.toSorted((a, b) => order(a) - order(b)) : lowers,
    target: first.storage.mountPoint,
  };
}

/** The node of partition `number` of a disk: /dev/sda1, but /dev/nvme0n1p1. */
export function partitionNode(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}
