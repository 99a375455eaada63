// Addresses of IPv4 and IPv6, as text and as the kernel's bytes.
import { AF } from "../linux/constants.ts";

export type Family = "v4" | "v6";

/** 4 or 16 bytes, in the order of the network. */
export type IpAddress = { readonly family: Family; readonly bytes: Uint8Array };

/** The addresses that begin with the first `prefix` bits of `address`. */
export type Network = { readonly address: IpAddress; readonly prefix: number };

const BITS = { v4: 32, v6: 128 } as const;
const GROUPS = 8;

/** undefined: it is no address. A zone (`fe80::1%eth0`) is not part of one. */
export function parseIp(text: string): IpAddress | undefined {
  const bytes = text.includes(":") ? parseV6(text) : parseV4(text);
  return bytes === undefined ? undefined : ipOf(bytes);
}

/** What the kernel calls an address; undefined if it has another length. */
export function ipFrom(bytes: Uint8Array | undefined): IpAddress | undefined {
  return bytes?.length === 4 || bytes?.length === 16 ? ipOf(bytes) : undefined;
}

/** As inet_ntop(3) and RFC 5952 write it. */
export function formatIp({ family, bytes }: IpAddress): string {
  return family === "v4" ? bytes.join(".") : formatV6(bytes);
}

/**
 * `10.0.0.0/8`, `fd00::/8` or `10.0.0.0/255.0.0.0`; without a slash it is that one address. undefined:
 * it is no network.
 */
export function parseNetwork(text: string): Network | undefined {
  const [address, prefix, ...rest] = text.split("/");
  const ip = parseIp(address ?? "");
  if (ip === undefined || rest.length > 0) return undefined;
  const bits = prefix === undefined ? BITS[ip.family] : parsePrefix(prefix, ip.family);
  return bits === undefined ? undefined : { address: ip, prefix: bits };
}

/** How many bits, as decimal text. undefined: it is none, or more than the family has. */
export function parsePrefixLength(text: string, family: Family): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const bits = Number(text);
  return bits <= BITS[family] ? bits : undefined;
}

export function formatNetwork({ address, prefix }: Network): string {
  return `${formatIp(address)}/${prefix}`;
}

/** Whether a bit behind the prefix is set: the kernel takes no such destination. */
export function hasHostBits({ address, prefix }: Network): boolean {
  return address.bytes.some((byte, index) => (byte & hostBits(prefix, index)) !== 0);
}

/** The last address of the network, which is everybody's. */
export function broadcastOf({ address, prefix }: Network): Uint8Array {
  return address.bytes.map((byte, index) => byte | hostBits(prefix, index));
}

/** AF_*, as the kernel wants it. */
export function addressFamily(family: Family): number {
  return family === "v4" ? AF.INET : AF.INET6;
}

/** The bits of the byte `index` that are behind the prefix. */
function hostBits(prefix: number, index: number): number {
  return 0xff >> Math.min(Math.max(prefix - 8 * index, 0), 8);
}

function ipOf(bytes: Uint8Array): IpAddress {
  return { family: bytes.length === 4 ? "v4" : "v6", bytes };
}

function parsePrefix(text: string, family: Family): number | undefined {
  const mask = family === "v4" ? parseV4(text) : undefined;
  if (mask === undefined) return parsePrefixLength(text, family);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}

function parseV4(text: string): Uint8Array | undefined {
  // No leading zeros: to some programs they mean octal.
  const part = "(0|[1-9]\\d{0,2})";
  const [, ...parts] = new RegExp(`^${part}\\.${part}\\.${part}\\.${part}$`).exec(text) ?? [];
  const numbers = parts.map(Number);
  return parts.length === 4 && numbers.every((number) => number <= 0xff)
    ? Uint8Array.from(numbers)
    : undefined;
}

function parseV6(text: string): Uint8Array | undefined {
  const [before = "", after, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const head = groupsIn(before, after === undefined);
  const tail = groupsIn(after ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const gap = GROUPS - head.length - tail.length;
  if (after === undefined ? gap !== 0 : gap < 1) return undefined;
  const groups = [...head, ...Array.from({ length: gap }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** `1:2:10.0.0.1`; `isLast`: four bytes may stand at the end. */
function groupsIn(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const dotted = isLast ? parseV4(parts.at(-1) ?? "") : undefined;
  const hex = dotted === undefined ? parts : parts.slice(0, -1);
  if (parts.length > GROUPS || !hex.every((part) => /^[\da-f]{1,4}$/i.test(part))) return undefined;
  const groups = hex.map((part) => Number.parseInt(part, 16));
  if (dotted === undefined) return groups;
  const [a = 0, b = 0, c = 0, d = 0] = dotted;
  return [...groups, (a << 8) | b, (c << 8) | d];
}

const V4_MAPPED = Uint8Array.fromHex("00000000000000000000ffff");

function formatV6(bytes: Uint8Array): string {
  if (V4_MAPPED.every((byte, index) => bytes[index] === byte)) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groups = Array.from({ length: GROUPS }, (_, index) => view.getUint16(2 * index));
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The first of the longest rows of zeros. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}
