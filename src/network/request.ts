// What the host asks of the network, checked as text before any of it is done. Addresses and names are
// not secret: a refusal quotes them.
import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import {
  type Family,
  type IpAddress,
  type Network,
  parseIp,
  parseNetwork,
  parsePrefixLength,
} from "./ip-address.ts";
import { parseMac } from "./mac-address.ts";

/** IFNAMSIZ of linux/if.h, without the NUL. */
const LONGEST_NAME = 15;

/** Throws an AgentError, as do all that follow. */
export function readMac(text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === undefined) throw invalidArgument(`parse MAC address: ${quote(text)} is none`);
  return mac;
}

/** The kernel's rules (dev_valid_name of net/core/dev.c), and no `%`, which it would fill in. */
export function readName(field: string, text: string): string {
  const length = new TextEncoder().encode(text).length;
  const isName = length > 0 && length <= LONGEST_NAME && text !== "." && text !== "..";
  if (isName && !/[/:%\s\0]/u.test(text)) return text;
  throw invalidArgument(`${field}: ${quote(text)} cannot be the name of an interface`);
}

/** `family`: the one it must be of. */
export function readIp(field: string, text: string, family?: Family): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw invalidArgument(`${field}: ${quote(text)} is no IP address`);
  return ofFamily(field, text, address, address, family);
}

export function readNetwork(field: string, text: string, family: Family): Network {
  const network = parseNetwork(text);
  if (network === undefined) throw invalidArgument(`${field}: ${quote(text)} is no IP network`);
  return ofFamily(field, text, network.address, network, family);
}

/** An address, and how many bits of it are its network's, as decimal text. */
export function readAddress(field: string, text: string, mask: string): Network {
  const address = readIp(field, text);
  const prefix = parsePrefixLength(mask, address.family);
  if (prefix !== undefined) return { address, prefix };
  throw invalidArgument(
    `${field} ${text}: ${quote(mask)} is no prefix length of IP${address.family}`,
  );
}

/** IPFamily of types.proto. */
export function readFamily(field: string, number: number): Family {
  if (number === 0) return "v4";
  if (number === 1) return "v6";
  throw invalidArgument(`${field}: ${number} is no IP family`);
}

/** The same, to be answered. */
export function familyNumber(family: Family): 0 | 1 {
  return family === "v4" ? 0 : 1;
}

/** A whole number from 0 to `most`. */
export function readNumber(field: string, number: number | bigint, most: number): number {
  if (number >= 0 && number <= most) return Number(number);
  throw invalidArgument(`${field}: ${number} is not from 0 to ${most}`);
}

/** `items` if there are no more than `most`. */
export function readList<Item>(
  field: string,
  items: readonly Item[],
  most: number,
): readonly Item[] {
  if (items.length <= most) return items;
  throw invalidArgument(`${field}: ${items.length} are more than ${most}`);
}

function ofFamily<Value>(
  field: string,
  text: string,
  address: IpAddress,
  value: Value,
  family: Family | undefined,
): Value {
  if (family === undefined || address.family === family) return value;
  throw invalidArgument(`${field}: ${quote(text)} is not of the family IP${family}`);
}
