/** google.rpc.Status: what a response says when it is not a payload. */

import { Code, codeFrom, type ErrorCode } from "./code.ts";
import { fieldSize, int64Size, type ProtoReader, putField, putInt64 } from "./protobuf.ts";

const CODE = 0x08;
const MESSAGE = 0x12;

export type Status = { readonly code: Code; readonly message: string };

/** A call refused: the reply carries `code` and the text, both as given. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const utf8 = new TextEncoder();

/** The Status message, without the tag and length of the field that holds it. */
export function encodeStatus({ code, message }: Status): Uint8Array {
  const text = utf8.encode(message);
  const size = (code === Code.OK ? 0 : 1 + int64Size(BigInt(code))) + fieldSize(text.length);
  const bytes = new Uint8Array(size);
  let at = 0;
  if (code !== Code.OK) {
    bytes[0] = CODE;
    at = putInt64(bytes, 1, BigInt(code));
  }
  putField(bytes, at, MESSAGE, text);
  return bytes;
}

/** Reads to the end of `reader`. The details (field 3) of a Status are passed over. */
export function decodeStatus(reader: ProtoReader): Status {
  let code: Code = Code.OK;
  let message = "";
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === CODE) code = codeFrom(Number(BigInt.asIntN(32, reader.int64())));
    else if (tag === MESSAGE) message = reader.string();
    else reader.skip(tag);
  }
  return { code, message };
}
