// What the agent can be told from outside. Kata's own names.
import { parseAddress } from "./ttrpc/address.ts";

const DEFAULT_ADDRESS = "vsock://-1:1024";

/** Where the runtime is listened for. Throws an Error that quotes an address that is none. */
export function serverAddress(environment: Readonly<Record<string, string | undefined>>) {
  const name = environment["KATA_AGENT_SERVER_ADDR"] ?? DEFAULT_ADDRESS;
  return { name, address: parseAddress(name) };
}
