// Names of the Container Device Interface: `vendor.com/class=device`.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";

export type CdiName = {
  /** `vendor.com/class` */
  readonly kind: string;
  readonly device: string;
};

const VENDOR_OR_CLASS = "[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?";
const KIND = new RegExp(`^${VENDOR_OR_CLASS}/${VENDOR_OR_CLASS}$`);
const DEVICE = /^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$/;

const LONGEST = 512;

export function isCdiKind(text: string): boolean {
  return text.length <= LONGEST && KIND.test(text);
}

export function isCdiDevice(text: string): boolean {
  return text.length <= LONGEST && DEVICE.test(text);
}

/** Throws InvalidSpec; `where` begins its text. */
export function parseCdiName(text: string, where: string): CdiName {
  const [kind = "", device = "", ...rest] = text.split("=");
  if (!isCdiKind(kind) || !isCdiDevice(device) || rest.length > 0) {
    throw new InvalidSpec(`${where}: ${quote(text)} is no CDI device, as vendor.com/class=name is`);
  }
  return { kind, device };
}

export function cdiText({ kind, device }: CdiName): string {
  return `${kind}=${device}`;
}
