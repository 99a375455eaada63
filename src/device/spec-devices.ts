// What a spec says of devices, in the numbers of the guest: storage-devices-network.md sections 4.4 and 4.5.
import { internal } from "../error.ts";
import type { DeviceNumber } from "../kernel/file.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { DeviceCgroup } from "../oci/resources.ts";
import type { Device, Linux } from "../oci/spec.ts";

/** The device that the spec has at a path. */
export type DeviceUpdate = {
  readonly containerPath: string;
  readonly node: DeviceNumber;
  /** Where the container is to have it instead. */
  readonly path?: string | undefined;
};

/**
 * The host's numbers give way to the guest's, in the list of devices and in the rules of the cgroup, and
 * what was plugged in the container may use: a node alone would be of no use. Throws an AgentError.
 */
export function withGuestDevices(linux: Linux, updates: readonly DeviceUpdate[]): Linux {
  if (updates.length === 0) return linux;
  const byPath = new Map<string, DeviceUpdate>();
  for (const update of updates) {
    const { containerPath } = update;
    if (byPath.has(containerPath)) {
      throw internal(`Conflicting device updates for ${quote(containerPath)}`);
    }
    byPath.set(containerPath, update);
  }
  const { devices = [], resources } = linux;
  const rules = rewriteRules(resources?.devices ?? [], numbersOf(devices, byPath));
  return {
    ...linux,
    devices: devices.map((device) => rewriteDevice(device, byPath.get(device.path))),
    // Appended once the others are rewritten: the guest may have a number that the host has as well.
    resources: { ...resources, devices: [...rules, ...updates.map(({ node }) => usable(node))] },
  };
}

/** A rule by which the container may do everything with the device. */
export function usable({ type, major, minor }: DeviceNumber): DeviceCgroup {
  return { allow: true, type, major, minor, access: "rwm" };
}

/** By type and number on the host, the number in the guest. */
function numbersOf(
  devices: readonly Device[],
  updates: ReadonlyMap<string, DeviceUpdate>,
): ReadonlyMap<string, DeviceNumber> {
  const unused = new Set(updates.keys());
  const numbers = new Map<string, DeviceNumber>();
  for (const { path, type, major = 0, minor = 0 } of devices) {
    const update = updates.get(path);
    if (update === undefined) continue;
    unused.delete(path);
    const key = keyOf(type === "u" ? "c" : type, major, minor);
    if (numbers.has(key)) throw internal(`Conflicting resource updates for ${key}`);
    numbers.set(key, update.node);
  }
  if (unused.size > 0) {
    throw internal(`Missing devices in OCI spec: ${[...unused].map(quote).join(", ")}`);
  }
  return numbers;
}

function rewriteDevice(device: Device, update: DeviceUpdate | undefined): Device {
  return update === undefined
    ? device
    : { ...device, ...update.node, path: update.path ?? device.path };
}

function rewriteRules(
  rules: readonly DeviceCgroup[],
  numbers: ReadonlyMap<string, DeviceNumber>,
): readonly DeviceCgroup[] {
  return rules.map((rule) => {
    const { type, major, minor } = rule;
    if (major === undefined || minor === undefined) return rule;
    const node = numbers.get(keyOf(type, major, minor));
    return node === undefined ? rule : { ...rule, major: node.major, minor: node.minor };
  });
}

/** As a rule of cgroup v1 begins: `b 8:0`. */
function keyOf(type: string, major: number, minor: number): string {
  return `${type} ${major}:${minor}`;
}
