/** ttrpc.Request and ttrpc.Response: what a frame's body holds. Hand-written and pure. */

import { Code } from "./code.ts";
import {
  fieldSize,
  int64Size,
  ProtoReader,
  putField,
  putInt64,
  putVarint,
  varintSize,
} from "./protobuf.ts";
import { decodeStatus, encodeStatus, type Status } from "./status.ts";

const SERVICE = 0x0a;
const METHOD = 0x12;
const PAYLOAD = 0x1a;
const TIMEOUT_NANO = 0x20;
const METADATA = 0x2a;

const KEY = 0x0a;
const VALUE = 0x12;

const STATUS = 0x0a;
const RESPONSE_PAYLOAD = 0x12;

const EMPTY = new Uint8Array(0);
const NO_METADATA: Metadata = new Map();

/** Values by key, both exactly as they came: keys keep their case, values of one key their order. */
export type Metadata = ReadonlyMap<string, readonly string[]>;

export type Request = {
  /** Full name of the proto service, `grpc.Health`. */
  readonly service: string;
  /** Bare name of the rpc, `Check`. */
  readonly method: string;
  readonly payload: Uint8Array;
  /** Time the caller gives the call, in nanoseconds from receipt; 0 and below mean no limit. */
  readonly timeoutNano: bigint;
  readonly metadata: Metadata;
};

export type Response = { readonly status: Status; readonly payload: Uint8Array };

/**
 * The Request in `bytes` from `start` to `end`. Unknown fields are passed over and the last of a
 * repeated scalar wins.
 * @throws DecodeError
 */
export function decodeRequest(bytes: Uint8Array, start: number, end: number): Request {
  const reader = new ProtoReader(bytes, start, end);
  let service = "";
  let method = "";
  let payload: Uint8Array = EMPTY;
  let timeoutNano = 0n;
  let metadata: Map<string, string[]> | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === SERVICE) service = reader.string();
    else if (tag === METHOD) method = reader.string();
    else if (tag === PAYLOAD) payload = reader.bytes();
    else if (tag === TIMEOUT_NANO) timeoutNano = reader.int64();
    else if (tag === METADATA) addPair((metadata ??= new Map()), reader.message());
    else reader.skip(tag);
  }
  return { service, method, payload, timeoutNano, metadata: metadata ?? NO_METADATA };
}

function addPair(metadata: Map<string, string[]>, reader: ProtoReader): void {
  let key = "";
  let value = "";
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === KEY) key = reader.string();
    else if (tag === VALUE) value = reader.string();
    else reader.skip(tag);
  }
  const values = metadata.get(key);
  if (values === undefined) metadata.set(key, [value]);
  else values.push(value);
}

const utf8 = new TextEncoder();

/** The bytes of a Request, fields in ascending order, those with default values left out. */
export function encodeRequest(request: Request): Uint8Array {
  const { payload, timeoutNano } = request;
  const service = utf8.encode(request.service);
  const method = utf8.encode(request.method);
  const pairs = [...request.metadata].flatMap(([key, values]) =>
    values.map((value) => encodePair(key, value)),
  );
  let size = fieldSize(service.length) + fieldSize(method.length) + fieldSize(payload.length);
  if (timeoutNano !== 0n) size += 1 + int64Size(timeoutNano);
  for (const pair of pairs) size += 1 + varintSize(pair.length) + pair.length;

  const bytes = new Uint8Array(size);
  let at = putField(bytes, 0, SERVICE, service);
  at = putField(bytes, at, METHOD, method);
  at = putField(bytes, at, PAYLOAD, payload);
  if (timeoutNano !== 0n) {
    bytes[at] = TIMEOUT_NANO;
    at = putInt64(bytes, at + 1, timeoutNano);
  }
  for (const pair of pairs) {
    bytes[at] = METADATA;
    at = putVarint(bytes, at + 1, pair.length);
    bytes.set(pair, at);
    at += pair.length;
  }
  return bytes;
}

function encodePair(key: string, value: string): Uint8Array {
  const keyBytes = utf8.encode(key);
  const valueBytes = utf8.encode(value);
  const pair = new Uint8Array(fieldSize(keyBytes.length) + fieldSize(valueBytes.length));
  putField(pair, putField(pair, 0, KEY, keyBytes), VALUE, valueBytes);
  return pair;
}

/** Bytes of a success response with a payload of this length. */
export function successSize(payloadLength: number): number {
  return 2 + fieldSize(payloadLength);
}

/** Room that the bytes of a success response before its payload may take. */
export const SUCCESS_HEAD_MAX = 2 + 1 + 5;

/**
 * Write what stands before the payload of a success response; returns where the payload goes. The
 * empty status is written out, as the Rust server has it; both clients take a missing one as well.
 */
export function putSuccessHead(target: Uint8Array, at: number, payloadLength: number): number {
  target[at] = STATUS;
  target[at + 1] = 0;
  if (payloadLength === 0) return at + 2;
  target[at + 2] = RESPONSE_PAYLOAD;
  return putVarint(target, at + 3, payloadLength);
}

/** The bytes of a response that is a refusal: a status and no payload. */
export function encodeFailure(status: Status): Uint8Array {
  const inner = encodeStatus(status);
  const bytes = new Uint8Array(1 + varintSize(inner.length) + inner.length);
  bytes[0] = STATUS;
  bytes.set(inner, putVarint(bytes, 1, inner.length));
  return bytes;
}

const SUCCESS: Status = { code: Code.OK, message: "" };

/**
 * The Response in `bytes` from `start` to `end`. A missing status is success.
 * @throws DecodeError
 */
export function decodeResponse(bytes: Uint8Array, start: number, end: number): Response {
  const reader = new ProtoReader(bytes, start, end);
  let status = SUCCESS;
  let payload: Uint8Array = EMPTY;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === STATUS) status = decodeStatus(reader.message());
    else if (tag === RESPONSE_PAYLOAD) payload = reader.bytes();
    else reader.skip(tag);
  }
  return { status, payload };
}
