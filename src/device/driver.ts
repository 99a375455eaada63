// A device of a request as its driver sees it: storage-devices-network.md sections 4.1 and 4.2.
import type { DeviceNumber } from "../kernel/file.ts";
import type { Hotplug } from "./hotplug.ts";
import type { PciAddress } from "./pci-address.ts";

/** As sent. */
export type DeviceRequest = {
  readonly id: string;
  readonly type: string;
  readonly vmPath: string;
  readonly containerPath: string;
  readonly options: readonly string[];
};

/** What has become of it in the guest. */
export type FoundDevice = {
  /** The node in the guest; none where the device is used without. */
  readonly node?: DeviceNumber;
  /** Where the container is to have it, if not where the spec says. */
  readonly path?: string;
  /** PCI functions: by the address on the host, that in the guest. */
  readonly functions?: ReadonlyMap<PciAddress, PciAddress>;
};

/**
 * Understand what is asked for, when nothing has been done for the request yet. Throws an AgentError for
 * what is malformed.
 */
export type DeviceDriver = (request: DeviceRequest) => FindDevice;

/**
 * Find the device, or wait for it. Throws an AgentError for what does not come in time, a KernelError, or
 * what `signal` says.
 */
export type FindDevice = (hotplug: Hotplug, signal: AbortSignal) => Promise<FoundDevice>;
