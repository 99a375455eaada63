import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import { hex } from "./hex.ts";

/** A queue of a crypto adapter of s390x: which adapter, which domain of it. */
export type ApQueue = {
  /** Two hex digits. */
  readonly adapter: string;
  /** As sysfs writes the queue: `0a.0001`. */
  readonly name: string;
};

/** `<adapter>.<domain>`, both hex (storage-devices-network.md 3.4). Throws an AgentError. */
export function parseApQueue(text: string): ApQueue {
  const [adapterText = "", domainText = "", ...rest] = text.split(".");
  const adapter = hex(adapterText, 0xff)?.toString(16).padStart(2, "0");
  const domain = hex(domainText, 0xffff)?.toString(16).padStart(4, "0");
  if (adapter === undefined || domain === undefined || rest.length > 0) {
    throw invalidArgument(`${quote(text)} is no AP queue, which is <adapter>.<domain>`);
  }
  return { adapter, name: `${adapter}.${domain}` };
}
