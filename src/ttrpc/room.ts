/** Room before a payload, for the heads that the wire puts there: it is then sent as it stands. Pure. */

import { putSuccessHead, SUCCESS_HEAD_MAX } from "./envelope.ts";
import { HEADER_SIZE, type Header, putHeader } from "./frame.ts";

/** Of a frame and of a success response, in bytes. */
export const HEAD_ROOM = HEADER_SIZE + SUCCESS_HEAD_MAX;

const roomy = new WeakSet<Uint8Array>();

/** Say of a payload that HEAD_ROOM bytes of its buffer before it are nobody's. */
export function withRoom(payload: Uint8Array): Uint8Array {
  roomy.add(payload);
  return payload;
}

export function hasRoom(payload: Uint8Array): boolean {
  return roomy.has(payload);
}

/** A success response's frame, whose end is the payload where it stands. */
export function frameAround(payload: Uint8Array, header: Header): Uint8Array {
  const size = HEADER_SIZE + header.length;
  const end = payload.byteOffset + payload.length;
  const frame = new Uint8Array(payload.buffer, end - size, size);
  putSuccessHead(frame, putHeader(frame, 0, header), payload.length);
  return frame;
}
