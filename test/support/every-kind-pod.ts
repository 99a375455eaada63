// A pod whose two containers have each all of every-kind.ts.
import { startContainer, type Wanted } from "./container.ts";
import {
  type Device,
  KINDS,
  ON_HOST,
  SHARE,
  type Storage,
  onBridge,
  pathOf,
  sourceOf,
} from "./every-kind.ts";
import { type EveryKindHardware, LAYERS, UPPER } from "./every-kind-hardware.ts";
import { layerStorages } from "./layered-disk.ts";
import { STATE } from "./storages.ts";
import type { VmService } from "./vm-service.ts";

/** For all processes of the containers. */
export const ENV = [`PCIDEVICE_NIC=${ON_HOST[1]}`, "PATH=/bin"];

const NODE = { path: "/dev/accelerator", hostPath: "/dev/loop2" };
/** What the guest has in /var/run/cdi. */
export const ACCELERATOR = {
  cdiVersion: "0.6.0",
  kind: "vendor.com/accelerator",
  devices: [{ name: "0", containerEdits: { deviceNodes: [NODE] } }],
};

/** The root of the first is layers that are checked by dm-verity, that of the second an overlay on the share. */
export function startBoth(agent: VmService, hardware: EveryKindHardware) {
  const layers = `${SHARE}/one/rootfs`;
  const disks = { lowers: onBridge(LAYERS), upper: onBridge(UPPER) };
  const overlay = {
    driver: "overlayfs",
    source: "overlay",
    fstype: "overlay",
    options: [`lowerdir=${SHARE}/root`, "io.katacontainers.fs-opt.overlay-rw"],
    mountPoint: `${STATE}/merged`,
  };
  return Promise.all([
    start(agent, "one", layers, layerStorages(layers, hardware.layers, disks)),
    start(agent, "two", overlay.mountPoint, [overlay]),
  ]);
}

function start(agent: VmService, id: string, rootfs: string, storages: readonly Storage[]) {
  return startContainer(agent, ["sleep", "1000"], {
    id,
    rootfs,
    process: { Env: ENV },
    spec: { Annotations: { "cdi.k8s.io/vfio2": `${ACCELERATOR.kind}=0` } },
    ...everyKind(storages),
  });
}

/** All of them as a host asks for them. `more`: what is mounted before the volumes. */
function everyKind(more: readonly Storage[]): Pick<Wanted, "request" | "mounts" | "linux"> {
  const named = Object.entries(KINDS);
  const devices = named.flatMap(([name, { device }]) =>
    device === undefined ? [] : [{ containerPath: `/dev/${name}`, ...device }],
  );
  const volumes = named.filter(([, { storage, source = storage }]) => source !== undefined);
  return {
    request: {
      storages: [
        ...more,
        ...volumes.flatMap(([name, kind]) =>
          kind.storage === undefined ? [] : [{ ...kind.storage, mountPoint: sourceOf(name, kind) }],
        ),
      ],
      devices,
    },
    mounts: volumes.map(([name, kind]) => ({
      destination: pathOf(name, kind),
      type: "bind",
      source: sourceOf(name, kind),
      options: ["rbind", "rw"],
    })),
    // A function that the guest drives has no node.
    linux: { Devices: devices.filter(({ type }) => type !== "vfio-pci-gk").map(nodeOfHost) },
  };
}

/** Some device of the host's, which has nothing to do with the guest's numbers. */
function nodeOfHost({ type, containerPath = "" }: Device, index: number) {
  const Type = type === "vfio-pci" ? "c" : "b";
  return { Path: containerPath, Type, Major: 8n, Minor: BigInt(index), FileMode: 0o600 };
}
