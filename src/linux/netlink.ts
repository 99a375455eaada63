// Messages of netlink(7) as bytes: a header, a fixed part whose form the type says, and attributes.
// Everything stands at a multiple of 4 bytes, and numbers are the machine's: little-endian on both
// architectures.
import { joined } from "./joined.ts";
import { NLA, NLMSG, NLMSGERR_ATTR, NLM_F } from "./netlink-flags.ts";

/** `body`: what follows the header. */
export type NetlinkMessage = {
  readonly type: number;
  readonly flags: number;
  /** The reply to a request has its number. */
  readonly sequence: number;
  readonly body: Uint8Array;
};

/** What an attribute holds: bytes, or attributes of its own. */
export type AttributeValue = Uint8Array | Attributes;
export type Attributes = readonly (readonly [type: number, value: AttributeValue])[];

/** What came, by type. Of two of one type the last is meant, as the kernel reads them. */
export type AttributeMap = ReadonlyMap<number, Uint8Array>;

/** The answer to a request that was to be acknowledged. */
export type Acknowledgement = {
  /** 0: done. */
  readonly errno: number;
  /** The kernel's own words for what is wrong; mostly empty. */
  readonly text: string;
};

/** struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port. */
const HEADER = 16;
/** struct nlattr: u16 length, u16 type. */
const ATTRIBUTE_HEADER = 4;

export class MalformedNetlink extends Error {
  override name = "MalformedNetlink";

  constructor(what: string) {
    super(`malformed netlink message: ${what}`);
  }
}

export function encodeMessage({ type, flags, sequence, body }: NetlinkMessage): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, HEADER);
  return bytes;
}

/** All messages in what was read at once. Throws MalformedNetlink, also for what was cut off. */
export function decodeMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
  const view = viewOf(bytes);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < HEADER) throw new MalformedNetlink("no whole header");
    const length = view.getUint32(at, true);
    if (length < HEADER || length > bytes.length - at) throw new MalformedNetlink("length");
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: bytes.slice(at + HEADER, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

export function encodeAttributes(attributes: Attributes): Uint8Array {
  const parts = attributes.map(([type, value]) =>
    value instanceof Uint8Array
      ? encodeAttribute(type, value)
      : encodeAttribute(type | NLA.F_NESTED, encodeAttributes(value)),
  );
  return joined(parts);
}

/** Throws MalformedNetlink. */
export function decodeAttributes(bytes: Uint8Array): AttributeMap {
  const view = viewOf(bytes);
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < ATTRIBUTE_HEADER) throw new MalformedNetlink("no whole attribute");
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER || length > bytes.length - at) {
      throw new MalformedNetlink("length of an attribute");
    }
    const type = view.getUint16(at + 2, true) & ~(NLA.F_NESTED | NLA.F_NET_BYTEORDER);
    found.set(type, bytes.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += aligned(length);
  }
  return found;
}

/**
 * What NLMSG_ERROR and NLMSG_DONE say; undefined for other messages. struct nlmsgerr is a negative errno,
 * and the header of the request. Throws MalformedNetlink.
 */
export function acknowledgementIn(message: NetlinkMessage): Acknowledgement | undefined {
  const { type, flags, body } = message;
  if (type !== NLMSG.ERROR && type !== NLMSG.DONE) return undefined;
  // Kernels before 2.6 ended a dump without a word.
  if (type === NLMSG.DONE && body.length < 4) return { errno: 0, text: "" };
  if (body.length < 4) throw new MalformedNetlink("no errno");
  const errno = 0 - viewOf(body).getInt32(0, true);
  const textAt = type === NLMSG.ERROR ? 4 + HEADER : 4;
  const hasText = (flags & NLM_F.ACK_TLVS) !== 0 && errno !== 0;
  const attributes = hasText ? decodeAttributes(body.subarray(textAt)) : new Map();
  return { errno, text: textIn(attributes.get(NLMSGERR_ATTR.MSG)) };
}

/** A 32-bit word, as the value of an attribute. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** The word that an attribute holds; undefined if it is not there. Throws MalformedNetlink. */
export function wordIn(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.length !== 4) throw new MalformedNetlink("a word that is none");
  return viewOf(value).getUint32(0, true);
}

/** Text with the NUL that ends it. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

/** Up to the NUL that ends it; empty if it is not there. */
export function textIn(value: Uint8Array | undefined): string {
  const bytes = value ?? new Uint8Array(0);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeAttribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(ATTRIBUTE_HEADER + value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ATTRIBUTE_HEADER + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, ATTRIBUTE_HEADER);
  return bytes;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
