// One of each kind of volume and device that a guest can have: how a host asks for it, and what two
// containers do with it, one after the other. What it is on is in every-kind-hardware.ts.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DeviceSchema, StorageSchema } from "../../src/gen/agent_pb.ts";
import { STATE } from "./storages.ts";
import { BRIDGE, ROOT_PORTS } from "./vm-hotplug.ts";

export type Storage = Exclude<MessageInitShape<typeof StorageSchema>, { $typeName: string }>;
export type Device = Exclude<MessageInitShape<typeof DeviceSchema>, { $typeName: string }>;

/** Where the host's share is, and below it, for volumes that are watched, the guest's own copies. */
export const TAG = "kataShared";
export const SHARE = `${STATE}/shared/containers`;

export const [LATE_PORT, VFIO_PORT, NET_PORT, COLD_PORT] = ROOT_PORTS;
export const onBridge = (slot: string) => `${BRIDGE.path}/${slot}`;

/** What a container runs, with the place in $at, and prints. */
type Use = { readonly runs: string; readonly prints: string };

export type Kind = {
  /** Mounted for the containers. */
  readonly storage?: Storage;
  /** What of the guest the containers have as a volume, unless it is where the storage is mounted. */
  readonly source?: string;
  readonly device?: Device;
  /** Where the containers have it, unless it is a volume or a device by its name. */
  readonly at?: string;
  readonly first: Use;
  readonly second: Use;
};

/** As far into a device as the first container writes, in sectors, and what. */
export const MADE_AT = 8;
export const MADE = "made\n";

/** A file system with a file `marker` on it, into which the first container puts another one. */
const files = (marker: string) => ({
  first: { runs: `cat $at/marker; printf '${MADE}' >$at/made`, prints: `${marker}\n` },
  second: { runs: "cat $at/made", prints: MADE },
});

/** A device that begins with a line, into which the first container writes. */
const sectors = (marker: string) => {
  const dd = "busybox dd bs=512 2>/dev/null";
  const write = `printf '${MADE}' | ${dd} of=$at seek=${MADE_AT} conv=notrunc,fsync`;
  return {
    first: { runs: `head -n 1 $at; ${write}`, prints: `${marker}\n` },
    second: { runs: `${dd} if=$at skip=${MADE_AT} count=1 | head -n 1`, prints: MADE },
  };
};

/** Memory in which the first container makes a file. */
const memory = (look: string, prints: string) => ({
  first: { runs: `${look}; printf '${MADE}' >$at/made`, prints: `${prints}\n` },
  second: { runs: "cat $at/made", prints: MADE },
});

const HUGE_PAGE = 2 << 20;
const hugeSize = { runs: "stat -c '%s %b' $at/made", prints: `${HUGE_PAGE} ${HUGE_PAGE / 512}\n` };

const both = (use: Use) => ({ first: use, second: use });

/** Functions that the host knows by these addresses. */
export const ON_HOST = ["0000:3b:00.0", "0000:3b:00.1"] as const;

export const NIC = { name: "pod0", mac: "02:00:00:00:00:01", address: "10.0.2.15/24" } as const;
const PING = "busybox ping -c 1 -w 10 10.0.2.2";

const ext4 = (driver: string, source: string): Storage => ({ driver, source, fstype: "ext4" });

export const KINDS: Readonly<Record<string, Kind>> = {
  // Disks with a file system.
  "blk-cold": { storage: ext4("blk", COLD_PORT.path), ...files("blk-cold") },
  blk: { storage: ext4("blk", onBridge("01")), ...files("blk") },
  "blk-late": { storage: ext4("blk", LATE_PORT.path), ...files("blk-late") },
  scsi: { storage: ext4("scsi", "0:1"), ...files("scsi") },
  nvdimm: { storage: ext4("nvdimm", "/dev/pmem0"), ...files("nvdimm") },
  mmioblk: { storage: ext4("mmioblk", "/dev/loop0"), ...files("mmioblk") },

  // A disk without one: a raw block volume.
  raw: {
    storage: { driver: "blk", source: onBridge("02"), fstype: "bind", options: ["bind"] },
    device: { type: "blk", id: onBridge("02"), containerPath: "/dev/raw" },
    ...sectors("raw"),
  },

  // The guest's memory, and its directories.
  ephemeral: {
    storage: { driver: "ephemeral", source: "tmpfs", fstype: "tmpfs", options: ["size=1048576"] },
    ...memory("stat -fc '%T %b' $at", "tmpfs 256"),
  },
  hugepages: {
    storage: {
      driver: "ephemeral",
      source: "nodev",
      fstype: "hugetlbfs",
      options: [`pagesize=${HUGE_PAGE},size=${2 * HUGE_PAGE}`],
    },
    first: { ...hugeSize, runs: `busybox fallocate -l ${HUGE_PAGE} $at/made; ${hugeSize.runs}` },
    second: hugeSize,
  },
  local: {
    storage: { driver: "local", options: ["mode=0750"], mountPoint: `${STATE}/sandbox/local/x` },
    ...memory("stat -c %a $at", "750"),
  },

  // The host's share.
  bind: { storage: { driver: "bind", source: `${SHARE}/bind` }, ...files("bind") },
  "virtio-fs": { source: `${SHARE}/virtio-fs`, ...files("virtio-fs") },
  watched: {
    storage: {
      driver: "watchable-bind",
      source: `${SHARE}/watched`,
      mountPoint: `${SHARE}/watchable/watched`,
    },
    first: { runs: "cat $at/marker; stat -fc %T $at", prints: "watched\ntmpfs\n" },
    // What the host changes comes without being asked for.
    second: { runs: "until grep changed $at/marker; do sleep 0.1; done", prints: "changed\n" },
  },

  // Devices.
  "device-blk": { device: { type: "blk", id: onBridge("03") }, ...sectors("device-blk") },
  "device-late": { device: { type: "blk", id: onBridge("04") }, ...sectors("device-late") },
  "device-scsi": { device: { type: "scsi", id: "0:2" }, ...sectors("device-scsi") },
  "device-nvdimm": {
    device: { type: "nvdimm", vmPath: "/dev/pmem1" },
    ...sectors("device-nvdimm"),
  },
  "device-mmioblk": {
    device: { type: "mmioblk", vmPath: "/dev/loop1" },
    ...sectors("device-mmioblk"),
  },
  vfio: {
    device: {
      type: "vfio-pci",
      id: "vfio0",
      containerPath: "/dev/vfio/17",
      options: [`${ON_HOST[0]}=${VFIO_PORT.path}`],
    },
    // By the number of its group in the guest.
    at: "/dev/vfio/[0-9]*",
    ...both({ runs: "exec 3<>$at && echo opened", prints: "opened\n" }),
  },
  // Driven by the guest's kernel; the agent gives it a name and an address.
  network: {
    device: {
      type: "vfio-pci-gk",
      id: "vfio1",
      containerPath: "/dev/vfio/18",
      options: [`${ON_HOST[1]}=${NET_PORT.path}`],
    },
    at: `/sys/class/net/${NIC.name}`,
    ...both({
      runs: `ls /sys/bus/pci/devices/$PCIDEVICE_NIC/virtio*/net; ${PING} | grep received`,
      prints: `${NIC.name}\n1 packets transmitted, 1 packets received, 0% packet loss\n`,
    }),
  },
  // A document of the guest's says which node it is.
  cdi: { at: "/dev/accelerator", ...sectors("cdi") },

  // Layers that are checked by dm-verity for the first container, and an overlay on the share for the second.
  root: {
    at: "/",
    first: { runs: `cat /etc/layer; printf '${MADE}' >/made`, prints: "above\n" },
    second: {
      runs: `cat /etc/layer; printf '${MADE}' >/made; cat /made`,
      prints: `share\n${MADE}`,
    },
  },
};

/** Where the containers have it. */
export function pathOf(name: string, { storage, source, at }: Kind): string {
  return (
    at ?? (storage === undefined && source === undefined ? `/dev/${name}` : `/volumes/${name}`)
  );
}

/** Where it is in the guest, if it is a volume. */
export function sourceOf(name: string, { storage, source }: Kind): string {
  return source ?? storage?.mountPoint ?? `${STATE}/sandbox/storage/${name}`;
}
