// PCI slots, addresses and paths as text: storage-devices-network.md sections 3.1 and 3.2.
import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { hex } from "./hex.ts";

/** Where a device is on its bus, as sysfs writes it: `1f.7`. */
export type PciSlot = string;

/** A device of the guest or the host, as sysfs writes it: `0000:3b:1f.7`. */
export type PciAddress = string;

/** The bridges to pass through from the root bus on, then the device. */
export type PciPath = readonly [PciSlot, ...PciSlot[]];

/** A root complex is its bus number as the runtime writes it: two hex digits. */
export type PciPlace = { readonly rootComplex: string; readonly path: PciPath };

const LARGEST = { domain: 0xffff, bus: 0xff, slot: 0x1f, function: 7 } as const;

/** The first root complex that is not the machine's own. */
const FIRST_EXPANDER = 0x20;

/** No machine has more bridges behind one another than buses. */
const LONGEST_PATH = 256;

/** `0000:3b:1f.7`, each number as short as it likes. Throws an AgentError. */
export function parsePciAddress(text: string): PciAddress {
  return tryPciAddress(text) ?? refuse("address", text);
}

/** The same, undefined for what is none. */
export function tryPciAddress(text: string): PciAddress | undefined {
  const [domainText = "", busText = "", slotText = "", ...rest] = text.split(":");
  const domain = hex(domainText, LARGEST.domain);
  const bus = hex(busText, LARGEST.bus);
  const slot = tryPciSlot(slotText);
  if (domain === undefined || bus === undefined || slot === undefined || rest.length > 0) {
    return undefined;
  }
  return `${digits(domain, 4)}:${digits(bus, 2)}:${slot}`;
}

/** `02/03.1`. Throws an AgentError. */
export function parsePciPath(text: string): PciPath {
  const slots = text.length > LONGEST_PATH * "1f.7/".length ? [] : text.split("/").map(tryPciSlot);
  const [first, ...rest] = slots;
  const known = rest.filter((slot) => slot !== undefined);
  if (first === undefined || known.length < rest.length) return refuse("path", text);
  return [first, ...known];
}

/** A path that may begin with a root complex: three numbers at least, of which the first is no slot. */
export function parsePciPlace(text: string): PciPlace {
  const [first = "", ...rest] = text.split("/");
  const isExpander = (hex(first, LARGEST.bus) ?? 0) >= FIRST_EXPANDER && rest.length >= 2;
  return isExpander
    ? { rootComplex: first.toLowerCase().padStart(2, "0"), path: parsePciPath(rest.join("/")) }
    : { rootComplex: "00", path: parsePciPath(text) };
}

/** `1f` or `1f.7`. */
function tryPciSlot(text: string): PciSlot | undefined {
  const [slotText = "", functionText = "0", ...rest] = text.split(".");
  const slot = hex(slotText, LARGEST.slot);
  const number = hex(functionText, LARGEST.function);
  if (slot === undefined || number === undefined || rest.length > 0) return undefined;
  return `${digits(slot, 2)}.${digits(number, 1)}`;
}

function digits(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}

function refuse(what: string, text: string): never {
  throw invalidArgument(`${quote(text)} is no PCI ${what}`);
}
