import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { hex } from "./hex.ts";

/** s390x knows four sets of subchannels. */
const LARGEST_SET = 3;

/**
 * The bus id of a device behind a channel of s390x, as sysfs writes it: `0.1.a` is `0.1.000a`
 * (storage-devices-network.md 3.4). Throws an AgentError.
 */
export function parseCcwId(text: string): string {
  const [, set, device = ""] = /^0\.([0-9]{1,3})\.([^.]*)$/.exec(text) ?? [];
  const number = hex(device, 0xffff);
  if (set === undefined || Number(set) > LARGEST_SET || number === undefined) {
    throw invalidArgument(`${quote(text)} is no CCW bus id`);
  }
  return `0.${Number(set)}.${number.toString(16).padStart(4, "0")}`;
}
