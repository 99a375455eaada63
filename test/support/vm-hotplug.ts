// A board with free places: where test/support/qmp.ts plugs devices, memory and processors in. A place
// has the address that Kata's runtime would send for it (`ROOT_PORTS[0].path`), for both ends count slots.

/** An empty slot on the bus pcie.0. A function behind it is at address 0. */
export type RootPort = {
  /** For `bus` of device_add. */
  readonly bus: string;
  /** The PCI path of what is plugged in there, as in the requests of the runtime. */
  readonly path: string;
};

/** Above those that QEMU gives to devices that name none. */
const FIRST_SLOT = 0x10;

/** Each holds one device. */
export const ROOT_PORTS: readonly [RootPort, RootPort, RootPort, RootPort] = [
  rootPort(1),
  rootPort(2),
  rootPort(3),
  rootPort(4),
];

/** Where Kata's runtime plugs disks in: slot n of it is `addr=n` and has the PCI path `10/n`. */
export const BRIDGE = { bus: "pci-bridge-0", path: slotName(FIRST_SLOT) } as const;

/** The bus of a virtio-scsi controller; its host number is 0. Needs the modules virtio_scsi, sd_mod. */
export const SCSI_BUS = "scsi0.0";

/** All of it together, in MB, and at most so many pieces that come later. */
const MOST_MEGABYTES = 8192;
const MEMORY_SLOTS = 8;

export const MOST_PROCESSORS = 4;

/** More for `-m`. */
export const memoryPlaces = `,slots=${MEMORY_SLOTS},maxmem=${MOST_MEGABYTES}M`;

/** More for `-smp`. */
export const processorPlaces = `,maxcpus=${MOST_PROCESSORS}`;

const BUSES = [
  // Without the reserves there is no room in it for what comes later.
  `pci-bridge,id=${BRIDGE.bus},chassis_nr=1,shpc=off,io-reserve=4k,mem-reserve=1m,pref64-reserve=1m,${at(0)}`,
  ...ROOT_PORTS.map(({ bus }, index) => {
    const number = index + 1;
    return `pcie-root-port,id=${bus},chassis=${number + 1},slot=${number + 1},${at(number)}`;
  }),
  `virtio-scsi-pci,id=scsi0,${at(ROOT_PORTS.length + 1)}`,
];

/** More for the command line, of an x86_64 machine. */
export const placesForDevices: readonly string[] = [
  "-machine",
  "nvdimm=on",
  ...BUSES.flatMap((bus) => ["-device", bus]),
];

/** More for the command line, of a machine whose functions are passed on; its kernel is told `intel_iommu=on`. */
export const IOMMU: readonly string[] = [
  "-machine",
  "kernel-irqchip=split",
  "-device",
  "intel-iommu,intremap=on",
];

function at(number: number): string {
  return `bus=pcie.0,addr=${slotName(FIRST_SLOT + number)}`;
}

function rootPort(number: number): RootPort {
  return { bus: `rp${number}`, path: `${slotName(FIRST_SLOT + number)}/00` };
}

/** As PCI paths have it: hexadecimal, of two digits. */
function slotName(slot: number): string {
  return slot.toString(16).padStart(2, "0");
}
