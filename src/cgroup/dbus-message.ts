// Messages of D-Bus as bytes, as much of it as systemd's manager needs
// (https://dbus.freedesktop.org/doc/dbus-specification.html, "Message Protocol").

/** A value that says its type: `v` in a signature. `t` is a uint64, `ay` bytes, `a(ss)` pairs. */
export type Variant =
  | { readonly type: "s"; readonly value: string }
  | { readonly type: "b"; readonly value: boolean }
  | { readonly type: "t"; readonly value: bigint }
  | { readonly type: "as"; readonly value: readonly string[] }
  | { readonly type: "au"; readonly value: readonly number[] }
  | { readonly type: "ay"; readonly value: Uint8Array }
  | { readonly type: "a(ss)"; readonly value: readonly (readonly [string, string])[] };

export type Property = readonly [name: string, value: Variant];

/** An argument of a call; `a(sv)` are properties, `a(sa(sv))` auxiliary units, which nobody has. */
export type Argument =
  | Variant
  | { readonly type: "a(sv)"; readonly value: readonly Property[] }
  | { readonly type: "a(sa(sv))" };

export type MethodCall = {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly arguments: readonly Argument[];
};

/** What came: `body` has the values that are text or numbers, up to the first of another type. */
export type Message = {
  readonly kind: "return" | "error" | "signal" | "other";
  /** Of the call that this answers; 0 if none. */
  readonly replySerial: number;
  readonly member: string;
  readonly errorName: string;
  readonly body: readonly (string | number)[];
};

const LITTLE_ENDIAN = 0x6c;
const METHOD_CALL = 1;
const VERSION = 1;
const KINDS = { 2: "return", 3: "error", 4: "signal" } as const;

const FIELD = {
  PATH: 1,
  INTERFACE: 2,
  MEMBER: 3,
  ERROR_NAME: 4,
  REPLY_SERIAL: 5,
  DESTINATION: 6,
  SIGNATURE: 8,
} as const;

/** Bytes in front of the array of header fields, its length included. */
const FIXED_HEADER = 16;

/** Far more than the manager ever says, and all that is kept of a peer that never ends. */
const LONGEST_MESSAGE = 1 << 20;

/** The bytes of a call; `serial` is not 0. */
export function encodeCall(serial: number, call: MethodCall): Uint8Array {
  const body = new Marshal();
  for (const argument of call.arguments) body.argument(argument);
  const signature = call.arguments.map(({ type }) => type).join("");
  const header = new Marshal();
  header.bytes.push(LITTLE_ENDIAN, METHOD_CALL, 0, VERSION);
  header.u32(body.bytes.length);
  header.u32(serial);
  header.array(8, () => {
    header.field(FIELD.PATH, "o", call.path);
    header.field(FIELD.INTERFACE, "s", call.interface);
    header.field(FIELD.MEMBER, "s", call.member);
    header.field(FIELD.DESTINATION, "s", call.destination);
    if (signature !== "") header.field(FIELD.SIGNATURE, "g", signature);
  });
  header.align(8);
  return new Uint8Array([...header.bytes, ...body.bytes]);
}

/**
 * The message at the start of `bytes` and how long it is; undefined if it is not all there yet.
 * Throws for what no message can begin with.
 */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly message: Message; readonly length: number } | undefined {
  if (bytes.length < FIXED_HEADER) return undefined;
  const reader = new Unmarshal(bytes);
  const [endian, type, , version] = bytes;
  if (endian !== LITTLE_ENDIAN || version !== VERSION) throw malformed("byte order or version");
  const bodyLength = reader.u32At(4);
  const fieldsEnd = FIXED_HEADER + reader.u32At(12);
  const bodyStart = (fieldsEnd + 7) & ~7;
  const length = bodyStart + bodyLength;
  if (fieldsEnd > LONGEST_MESSAGE || length > LONGEST_MESSAGE) throw malformed("length");
  if (bytes.length < length) return undefined;
  const fields = new Map<number, string | number>();
  reader.at = FIXED_HEADER;
  while (reader.at < fieldsEnd) {
    reader.align(8);
    const code = reader.byte();
    const [value] = reader.values(reader.signature(), fieldsEnd);
    if (value !== undefined) fields.set(code, value);
  }
  reader.at = bodyStart;
  const text = (field: number) => String(fields.get(field) ?? "");
  const message: Message = {
    kind: KINDS[type as keyof typeof KINDS] ?? "other",
    replySerial: Number(fields.get(FIELD.REPLY_SERIAL) ?? 0),
    member: text(FIELD.MEMBER),
    errorName: text(FIELD.ERROR_NAME),
    body: reader.values(text(FIELD.SIGNATURE), length),
  };
  return { message, length };
}

class Marshal {
  readonly bytes: number[] = [];

  align(size: number): void {
    while (this.bytes.length % size !== 0) this.bytes.push(0);
  }

  u32(value: number): void {
    this.align(4);
    for (let shift = 0; shift < 32; shift += 8) this.bytes.push((value >>> shift) & 0xff);
  }

  /** The elements that `write` appends, each of which begins at a multiple of `alignment`. */
  array(alignment: number, write: () => void): void {
    this.u32(0);
    const lengthAt = this.bytes.length - 4;
    this.align(alignment);
    const start = this.bytes.length;
    write();
    const length = this.bytes.length - start;
    for (let at = 0; at < 4; at++) this.bytes[lengthAt + at] = (length >>> (8 * at)) & 0xff;
  }

  field(code: number, type: "o" | "s" | "g", value: string): void {
    this.align(8);
    this.bytes.push(code);
    this.#signature(type);
    if (type === "g") this.#signature(value);
    else this.#string(value);
  }

  argument(argument: Argument): void {
    if (argument.type === "a(sa(sv))") this.array(8, () => {});
    else if (argument.type !== "a(sv)") this.#value(argument);
    else {
      this.array(8, () => {
        for (const [name, value] of argument.value) {
          this.align(8);
          this.#string(name);
          this.#signature(value.type);
          this.#value(value);
        }
      });
    }
  }

  #value(variant: Variant): void {
    if (variant.type === "s") this.#string(variant.value);
    else if (variant.type === "b") this.u32(variant.value ? 1 : 0);
    else if (variant.type === "t") this.#u64(variant.value);
    else if (variant.type === "ay") this.array(1, () => this.bytes.push(...variant.value));
    else if (variant.type === "a(ss)") {
      this.array(8, () => {
        for (const pair of variant.value) {
          this.align(8);
          pair.forEach(this.#string, this);
        }
      });
    } else if (variant.type === "as")
      this.array(4, () => variant.value.forEach(this.#string, this));
    else this.array(4, () => variant.value.forEach(this.u32, this));
  }

  #u64(value: bigint): void {
    this.align(8);
    this.u32(Number(value & 0xffff_ffffn));
    this.u32(Number(value >> 32n));
  }

  #string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.bytes.push(...bytes, 0);
  }

  #signature(text: string): void {
    this.bytes.push(text.length, ...new TextEncoder().encode(text), 0);
  }
}

class Unmarshal {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  align(size: number): void {
    this.at = Math.ceil(this.at / size) * size;
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32At(at: number): number {
    return this.#view.getUint32(at, true);
  }

  signature(): string {
    return this.#text(this.byte());
  }

  /** Values that are text or 32-bit numbers, up to the first of another type. */
  values(signature: string, end: number): (string | number)[] {
    const values: (string | number)[] = [];
    for (const type of signature) {
      if (type === "g") values.push(this.signature());
      else if (type === "u" || type === "b" || type === "i") values.push(this.#u32());
      else if (type === "s" || type === "o") values.push(this.#text(this.#u32()));
      else break;
      if (this.at > end) throw malformed("a value beyond its end");
    }
    return values;
  }

  #u32(): number {
    this.align(4);
    return this.u32At(this.#take(4));
  }

  /** Where the next so many bytes begin. */
  #take(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw malformed("a value beyond its end");
    return start;
  }

  /** Behind the text is a NUL. */
  #text(length: number): string {
    const start = this.#take(length + 1);
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }
}

function malformed(what: string): Error {
  return new Error(`malformed D-Bus message: ${what}`);
}
