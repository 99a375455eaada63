/** The protobuf wire format, as much of it as the ttRPC envelope is made of. Pure. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** Groups nest; a hostile message must not nest them until the stack ends. */
const MAX_GROUP_DEPTH = 32;

/**
 * Payloads up to this size are copied out of the read buffer: that costs no more than a view, and a
 * parked call then holds its few bytes and not the whole chunk that they came in.
 */
const COPY_UP_TO = 4096;

const EMPTY = new Uint8Array(0);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes are no protobuf message. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** Reads the fields of one message, which is `bytes` from `start` to `end`. */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Field number and wire type, as they stand on the wire: `number << 3 | type`. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) throw new DecodeError(`field number of tag ${tag}`);
    return tag;
  }

  /** An unsigned varint. Exact up to 2^53, which covers every tag and length; beyond, only large. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new DecodeError("varint of more than 10 bytes");
  }

  /** A plain int64: negative values take 10 bytes, bits past the 64th are dropped. */
  int64(): bigint {
    const start = this.#at;
    const near = this.varint();
    if (near <= Number.MAX_SAFE_INTEGER) return BigInt(near);
    let value = 0n;
    for (let at = start, shift = 0n; at < this.#at; at++, shift += 7n) {
      value |= BigInt((this.#bytes[at] ?? 0) & 0x7f) << shift;
    }
    return BigInt.asIntN(64, value);
  }

  /** A length-delimited field as bytes: valid for as long as the caller keeps them. */
  bytes(): Uint8Array {
    const start = this.#delimited();
    const length = this.#at - start;
    if (length === 0) return EMPTY;
    return length <= COPY_UP_TO
      ? this.#bytes.slice(start, this.#at)
      : this.#bytes.subarray(start, this.#at);
  }

  /** A length-delimited field as text, which must be UTF-8. */
  string(): string {
    const start = this.#delimited();
    if (start === this.#at) return "";
    try {
      return utf8.decode(this.#bytes.subarray(start, this.#at));
    } catch (cause) {
      throw new DecodeError("text that is not UTF-8", { cause });
    }
  }

  /** A length-delimited field as a message of its own. */
  message(): ProtoReader {
    const start = this.#delimited();
    return new ProtoReader(this.#bytes, start, this.#at);
  }

  /** Pass over the value of a field that nobody asked for. */
  skip(tag: number): void {
    this.#skip(tag & 7, 0);
  }

  #skip(type: number, depth: number): void {
    switch (type) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.#advance(8);
        return;
      case BYTES:
        this.#delimited();
        return;
      case GROUP_START:
        if (depth === MAX_GROUP_DEPTH) throw new DecodeError("groups nested too deep");
        for (let inner = this.tag() & 7; inner !== GROUP_END; inner = this.tag() & 7) {
          this.#skip(inner, depth + 1);
        }
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw new DecodeError(`wire type ${type}`);
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new DecodeError("unexpected end");
    return this.#bytes[this.#at++] ?? 0;
  }

  /** Move past a length-delimited value: it begins at the offset returned and ends where we are now. */
  #delimited(): number {
    const length = this.varint();
    const start = this.#at;
    this.#advance(length);
    return start;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw new DecodeError("unexpected end");
    this.#at += count;
  }
}

/** Bytes that `value` takes as a varint; `value` is a length or a tag. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Write a length or a tag at `at`; returns where the next byte goes. */
export function putVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

/** Write an int64 at `at`; returns where the next byte goes. */
export function putInt64(target: Uint8Array, at: number, value: bigint): number {
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    target[at++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  target[at++] = Number(rest);
  return at;
}

/** Bytes that `value` takes as an int64. */
export function int64Size(value: bigint): number {
  let size = 1;
  for (let rest = BigInt.asUintN(64, value); rest > 0x7fn; rest >>= 7n) size++;
  return size;
}

/** Bytes of a length-delimited field with a one-byte tag; none when it is empty, as proto3 has it. */
export function fieldSize(length: number): number {
  return length === 0 ? 0 : 1 + varintSize(length) + length;
}

/** Write a length-delimited field with a one-byte tag; an empty one is left out. */
export function putField(target: Uint8Array, at: number, tag: number, value: Uint8Array): number {
  if (value.length === 0) return at;
  target[at] = tag;
  const start = putVarint(target, at + 1, value.length);
  target.set(value, start);
  return start + value.length;
}
