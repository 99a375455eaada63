/** The ttRPC frame: ten bytes of header, then a body. Pure; see README.md for the picture. */

export const HEADER_SIZE = 10;

/** The longest body either side may send, in bytes, inclusive. */
export const MAX_BODY = 4 << 20;

export const MESSAGE_REQUEST = 1;
export const MESSAGE_RESPONSE = 2;
export const MESSAGE_DATA = 3;

/**
 * A long body is gathered in a buffer that starts here and grows fourfold: a peer that announces
 * 4 MiB and sends nothing costs this much, and copying stays under a third of the body.
 */
const FIRST_GATHER = 256 << 10;

const EMPTY = new Uint8Array(0);

export type Header = {
  /** Bytes of body, 0 to 2^32 - 1. */
  readonly length: number;
  /** Stream id, unsigned. */
  readonly id: number;
  readonly type: number;
  readonly flags: number;
};

/** The body is `bytes` from `start` for `length`; of one longer than MAX_BODY nothing is kept. */
export type Frame = Header & { readonly bytes: Uint8Array; readonly start: number };

/** The text with which both reference servers refuse a body of `length` bytes. */
export function oversizeText(length: number): string {
  return `message length ${length} exceed maximum message size of ${MAX_BODY}`;
}

/** Write a header at `at`; returns where the body goes. */
export function putHeader(target: Uint8Array, at: number, header: Header): number {
  putUint32(target, at, header.length);
  putUint32(target, at + 4, header.id);
  target[at + 8] = header.type;
  target[at + 9] = header.flags;
  return at + HEADER_SIZE;
}

/** The header at `at`, where HEADER_SIZE bytes must stand. */
export function getHeader(source: Uint8Array, at: number): Header {
  return {
    length: getUint32(source, at),
    id: getUint32(source, at + 4),
    type: source[at + 8] ?? 0,
    flags: source[at + 9] ?? 0,
  };
}

/**
 * Cuts a stream of chunks into frames. A frame that lies within one chunk is a view of it, so the
 * chunks pushed must not be reused; only a frame that spans chunks is copied. Bodies over MAX_BODY are
 * passed over as they come in, without being kept.
 */
export class FrameReader {
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** Chunks that came while the caller did not want frames. */
  readonly #later: Uint8Array[] = [];

  readonly #partialHeader = new Uint8Array(HEADER_SIZE);
  #partialSize = 0;

  /** Header of the frame whose body has not all come in. */
  #header: Header | undefined;
  #body: Uint8Array = EMPTY;
  /** Bytes of that body gathered, or passed over. */
  #received = 0;

  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length || this.#later.length > 0) {
      this.#later.push(chunk);
      return;
    }
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next frame that is all there, or nothing until more is pushed. */
  next(): Frame | undefined {
    const header = this.#header ?? this.#nextHeader();
    if (header === undefined) return undefined;
    const { length } = header;
    const start = this.#at;
    if (this.#received === 0 && length <= MAX_BODY && this.#chunk.length - start >= length) {
      this.#header = undefined;
      this.#at = start + length;
      return this.#frame(header, this.#chunk, start);
    }
    this.#header = header;
    while (this.#received < length) {
      if (!this.#available()) return undefined;
      this.#take(length);
    }
    const body = this.#body;
    this.#header = undefined;
    this.#body = EMPTY;
    this.#received = 0;
    return this.#frame(header, body, 0);
  }

  #frame({ length, id, type, flags }: Header, bytes: Uint8Array, start: number): Frame {
    return { length, id, type, flags, bytes, start };
  }

  #nextHeader(): Header | undefined {
    if (this.#partialSize === 0 && this.#chunk.length - this.#at >= HEADER_SIZE) {
      const header = getHeader(this.#chunk, this.#at);
      this.#at += HEADER_SIZE;
      return header;
    }
    while (this.#partialSize < HEADER_SIZE) {
      if (!this.#available()) return undefined;
      this.#partialHeader[this.#partialSize++] = this.#chunk[this.#at++] ?? 0;
    }
    this.#partialSize = 0;
    return getHeader(this.#partialHeader, 0);
  }

  /** Whether a byte is at hand; a chunk used up is let go. */
  #available(): boolean {
    while (this.#at >= this.#chunk.length) {
      const chunk = this.#later.shift();
      this.#chunk = chunk ?? EMPTY;
      this.#at = 0;
      if (chunk === undefined) return false;
    }
    return true;
  }

  /** Gather what this chunk has of a body of `length` bytes. */
  #take(length: number): void {
    const count = Math.min(length - this.#received, this.#chunk.length - this.#at);
    const end = this.#received + count;
    if (length <= MAX_BODY) {
      if (end > this.#body.length) this.#grow(length, end);
      this.#body.set(this.#chunk.subarray(this.#at, this.#at + count), this.#received);
    }
    this.#at += count;
    this.#received = end;
  }

  #grow(length: number, atLeast: number): void {
    const size = Math.max(FIRST_GATHER, this.#body.length * 4, atLeast);
    const grown = new Uint8Array(Math.min(length, size));
    grown.set(this.#body.subarray(0, this.#received));
    this.#body = grown;
  }
}

function putUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function getUint32(source: Uint8Array, at: number): number {
  const high = ((source[at] ?? 0) << 8) | (source[at + 1] ?? 0);
  const low = ((source[at + 2] ?? 0) << 8) | (source[at + 3] ?? 0);
  return high * 0x10000 + low;
}
