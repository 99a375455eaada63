// What is plugged into the guest for containers, and what of it their processes are told.
import { type PciAddresses, withGuestAddresses } from "../device/pci-environment.ts";
import { type CdiOptions, injectCdi } from "../device/cdi.ts";
import { addDevices } from "../device/add-devices.ts";
import type { DeviceRequest } from "../device/driver.ts";
import type { Hotplug } from "../device/hotplug.ts";
import type { ContainerProcess, ContainerSpec } from "../oci/valid-spec.ts";

const NOTHING: PciAddresses = new Map();

export class Equipment {
  readonly #hotplug: Hotplug;
  readonly #cdi: CdiOptions;
  /** By the id of the container. */
  readonly #addresses = new Map<string, PciAddresses>();

  constructor(hotplug: Hotplug, cdi: CdiOptions) {
    this.#hotplug = hotplug;
    this.#cdi = cdi;
  }

  /**
   * The spec with what the guest has for it, once that is there. `forget` takes back what is kept of it.
   * Throws an AgentError, a KernelError, or what `signal` says.
   */
  async equip(
    id: string,
    devices: readonly DeviceRequest[],
    spec: ContainerSpec,
    signal: AbortSignal,
  ): Promise<ContainerSpec> {
    const equipped = await addDevices(devices, spec, this.#hotplug, signal);
    if (equipped.addresses.size > 0) this.#addresses.set(id, equipped.addresses);
    return await injectCdi(equipped.spec, this.#cdi, signal);
  }

  /** One more process of a container, in terms of the guest. */
  process(id: string, process: ContainerProcess): ContainerProcess {
    const addresses = this.#addresses.get(id) ?? NOTHING;
    return { ...process, env: withGuestAddresses(process.env ?? [], addresses) };
  }

  forget(id: string): void {
    this.#addresses.delete(id);
  }
}
