// The devices through which programs use InfiniBand: storage-devices-network.md section 4.7.
import { namesIn } from "../kernel/listing.ts";
import type { DeviceNode } from "../kernel/file.ts";
import type { Device, Linux } from "../oci/spec.ts";
import type { Hotplug } from "./hotplug.ts";
import { nodeAt } from "./node.ts";
import { usable } from "./spec-devices.ts";

const DIRECTORY = "infiniband";

/** With all that the guest has of them, unless the spec names them itself. */
export async function withInfiniband(linux: Linux, { dev }: Hotplug): Promise<Linux> {
  const { devices = [], resources } = linux;
  const named = new Set(devices.map(({ path }) => path));
  const found = await devicesIn(dev);
  if (found.length === 0) return linux;
  const rules = found.map(({ number }) => usable(number));
  return {
    ...linux,
    devices: [...devices, ...found.filter(({ path }) => !named.has(path)).map(toDevice)],
    resources: { ...resources, devices: [...(resources?.devices ?? []), ...rules] },
  };
}

type Found = DeviceNode & { readonly path: string };

async function devicesIn(dev: string): Promise<readonly Found[]> {
  const names = await namesIn(`${dev}/${DIRECTORY}`);
  return names.flatMap((name) => {
    const node = nodeAt(`${dev}/${DIRECTORY}/${name}`);
    if (node === undefined || node === "other" || node.number.type !== "c") return [];
    return { ...node, path: `/dev/${DIRECTORY}/${name}` };
  });
}

function toDevice({ number, path, mode, uid, gid }: Found): Device {
  return { ...number, path, fileMode: mode, uid, gid };
}
