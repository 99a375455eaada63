import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";

/** Decimal. */
export type ScsiAddress = { readonly id: number; readonly lun: number };

/** A runtime counts disks from 0 to 65535 and gives 256 to each target. */
const LARGEST = 255;

/** `<id>:<lun>`, which is written to a file of the kernel's. Throws an AgentError. */
export function parseScsiAddress(text: string): ScsiAddress {
  const [, id, lun] = /^([0-9]{1,3}):([0-9]{1,3})$/.exec(text) ?? [];
  if (id === undefined || lun === undefined || Math.max(Number(id), Number(lun)) > LARGEST) {
    throw invalidArgument(`Unexpected format for SCSI Address: ${quote(text)}, expect SCSIID:LUA`);
  }
  return { id: Number(id), lun: Number(lun) };
}
