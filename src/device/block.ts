// Block devices by what the runtime knows of them: storage-devices-network.md sections 2.8, 2.9, 4.2 and
// 6.4. Storages find theirs here as well.
import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { parseCcwId } from "./ccw-id.ts";
import type { Hotplug, Wanted } from "./hotplug.ts";
import { parsePciPlace } from "./pci-address.ts";
import { pciFunctionAt } from "./pci-sysfs.ts";
import { findScsiDisk } from "./scsi.ts";
import { parseScsiAddress } from "./scsi-address.ts";
import type { Uevent } from "./uevent.ts";

/** How it is plugged in, which says how it is addressed. */
export const BLOCK_KINDS = ["blk", "blk-ccw", "mmioblk", "nvdimm", "scsi"] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** The path of its node, once it is there. Throws an AgentError if it does not come in time, or what `signal` says. */
export type FindBlock = (hotplug: Hotplug, signal: AbortSignal) => Promise<string>;

/**
 * `address` is a PCI path for blk, a bus id for blk-ccw, `id:lun` for scsi, the path of the node for the
 * others. Throws an AgentError for what is none.
 */
export function blockAt(kind: BlockKind, address: string): FindBlock {
  const find = FINDERS[kind](address);
  return async (hotplug, signal) => `${hotplug.dev}/${(await find(hotplug, signal)).devname}`;
}

/** The same for a node right in /dev, which may be yet to come; undefined for any other path. */
export function comingNode(path: string): FindBlock | undefined {
  return NODE.test(path) ? blockAt("mmioblk", path) : undefined;
}

type Find = (hotplug: Hotplug, signal: AbortSignal) => Promise<Pick<Uevent, "devname">>;

const FINDERS: Readonly<Record<BlockKind, (address: string) => Find>> = {
  blk: (address) => {
    const place = parsePciPlace(address);
    return async (hotplug, signal) => {
      const { devpath } = await pciFunctionAt(hotplug, place);
      return await hotplug.find(virtioDisk(devpath), signal);
    };
  },
  "blk-ccw": (address) => finderOf(ccwDisk(parseCcwId(address))),
  mmioblk: (address) => {
    const devname = nameOf(address);
    const wait = finderOf(namedDisk(devname, "/devices/"));
    // A partition, too, if it is there.
    return async (hotplug, signal) =>
      hotplug.hasNode(devname) ? { devname } : await wait(hotplug, signal);
  },
  // ACPI tells the guest of these.
  nvdimm: (address) => finderOf(namedDisk(nameOf(address), "/devices/LNXSYSTM")),
  scsi: (address) => {
    const parsed = parseScsiAddress(address);
    return (hotplug, signal) => findScsiDisk(hotplug, parsed, signal);
  },
};

function finderOf(wanted: Wanted): Find {
  return (hotplug, signal) => hotplug.find(wanted, signal);
}

function virtioDisk(parent: string): Wanted {
  return disk(`of the disk at ${parent}`, (devpath) => {
    const isBelow = devpath.startsWith(`${parent}/`);
    return isBelow && /^virtio\d+\/block\/[^/]+$/.test(devpath.slice(parent.length + 1));
  });
}

/** Behind any of the subchannels. */
function ccwDisk(id: string): Wanted {
  const device = id.replaceAll(".", "\\.");
  const place = `^/devices/css0/0\\.[0-3]\\.[0-9a-f]{1,4}/${device}/virtio[0-9]+/block/[^/]+$`;
  const pattern = new RegExp(place);
  return disk(`of the disk at ${id}`, (devpath) => pattern.test(devpath));
}

function namedDisk(name: string, below: string): Wanted {
  const end = `/block/${name}`;
  return disk(`of the disk ${name}`, (devpath, devname) => {
    return devpath.startsWith(below) && devpath.endsWith(end) && devname === name;
  });
}

/** A disk, not a partition of one: each has `/block/` and its own name at the end of its path. */
function disk(name: string, matches: (devpath: string, devname: string) => boolean): Wanted {
  return {
    name,
    place: { class: "block" },
    matches: ({ subsystem, devpath, devname }) =>
      subsystem === "block" && devname !== "" && matches(devpath, devname),
  };
}

/** No disk of the kernel's has a longer name (linux/genhd.h, DISK_NAME_LEN). */
const NODE = /^\/dev\/([\w!.-]{1,32})$/;

function nameOf(path: string): string {
  const [, name] = NODE.exec(path) ?? [];
  if (name !== undefined) return name;
  throw invalidArgument(`${quote(path)} is not the path of a disk in /dev`);
}
