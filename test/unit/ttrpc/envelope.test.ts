import { describe, expect, test } from "bun:test";
import { Code } from "../../../src/ttrpc/code.ts";
import {
  decodeRequest,
  decodeResponse,
  encodeFailure,
  encodeRequest,
  putSuccessHead,
  type Request,
  SUCCESS_HEAD_MAX,
  successSize,
} from "../../../src/ttrpc/envelope.ts";
import { HEADER_SIZE, MAX_BODY } from "../../../src/ttrpc/frame.ts";
import { DecodeError } from "../../../src/ttrpc/protobuf.ts";
import { seeded } from "../../support/random.ts";
import { concat } from "../../support/raw-peer.ts";
import { golden } from "./golden.ts";

const bare = { payload: new Uint8Array(0), timeoutNano: 0n, metadata: new Map() };
const check: Request = { ...bare, service: "grpc.Health", method: "Check" };

function decode(bytes: Uint8Array): Request {
  return decodeRequest(bytes, 0, bytes.length);
}

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

describe("Request", () => {
  test.each<[string, Request]>([
    ["check request", check],
    ["check request with 30 s", { ...check, timeoutNano: 30_000_000_000n }],
    [
      "check request of kata-agent-ctl",
      { ...check, metadata: new Map([["agent-ctl-cfg", ["auto-values"]]]) },
    ],
    [
      "request of the Rust test suite",
      {
        service: "grpc.TestServices",
        method: "Test",
        payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9),
        timeoutNano: 20_000_000n,
        metadata: new Map([["test_key1", ["test_value1"]]]),
      },
    ],
  ])("F15 the golden %s decodes and encodes to the same bytes", (name, request) => {
    const bytes = golden(name).slice(HEADER_SIZE);
    expect(decode(bytes)).toEqual(request);
    expect(encodeRequest(request)).toEqual(bytes);
  });

  test("no bytes are a request with every field at its default", () => {
    expect(decode(new Uint8Array(0))).toEqual({ ...bare, service: "", method: "" });
  });

  test("F16 unknown fields of every wire type are passed over", () => {
    const unknown = hex(
      "7a 03 010203  8001 05  89 01 0102030405060708  95 01 01020304  9b01 0805 9c01",
    );
    expect(decode(concat(unknown, encodeRequest(check), unknown))).toEqual(check);
  });

  test("F16 a known field with another wire type is an unknown field", () => {
    expect(decode(concat(hex("08 05  22 01 07"), encodeRequest(check)))).toEqual(check);
  });

  test("F17 the last of a repeated scalar wins", () => {
    const bytes = concat(hex("0a 01 61  20 05"), encodeRequest(check), hex("20 07"));
    expect(decode(bytes)).toEqual({ ...check, timeoutNano: 7n });
  });

  test("F18 fields may come in any order", () => {
    const bytes = hex("1a 01 09  20 05  12 01 62  0a 01 61");
    const request = { ...bare, service: "a", method: "b", timeoutNano: 5n };
    expect(decode(bytes)).toEqual({ ...request, payload: Uint8Array.of(9) });
  });

  test.each([0n, 1n, -5n, 127n, 128n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)])(
    "timeout_nano %d survives the wire",
    (timeoutNano) => {
      expect(decode(encodeRequest({ ...check, timeoutNano }))).toEqual({ ...check, timeoutNano });
    },
  );

  test("M01 metadata keeps case, duplicates and the order within a key", () => {
    const metadata = new Map([
      ["k", ["1", "2"]],
      ["UP", ["x"]],
    ]);
    expect(decode(encodeRequest({ ...check, metadata })).metadata).toEqual(metadata);
  });

  test("M02 an empty key and an empty value are metadata too", () => {
    expect(decode(hex("2a 00")).metadata).toEqual(new Map([["", [""]]]));
  });

  test("a payload of a few bytes does not hold the chunk that it came in", () => {
    const chunk = concat(
      encodeRequest({ ...check, payload: Uint8Array.of(1) }),
      new Uint8Array(9000),
    );
    const { payload } = decodeRequest(chunk, 0, chunk.length - 9000);
    expect(payload).toEqual(Uint8Array.of(1));
    expect(payload.buffer.byteLength).toBe(1);
  });

  test("a long payload is not copied", () => {
    const bytes = encodeRequest({ ...check, payload: new Uint8Array(100_000) });
    expect(decode(bytes).payload.buffer).toBe(bytes.buffer);
  });

  test.each([
    ["E06 a length past the end", "0a 0b 67", "unexpected end"],
    ["E06 a tag alone", "0a", "unexpected end"],
    ["E06 a varint without an end", "20 ff", "unexpected end"],
    ["E06 a fixed64 cut short", "09 01", "unexpected end"],
    ["E06 a length of 2^63", "0a ffffffffffffffff7f", "unexpected end"],
    ["a varint of 11 bytes", "20 ffffffffffffffffffff01", "varint of more than 10 bytes"],
    ["E07 wire type 6", "0e", "wire type 6"],
    ["E07 wire type 7", "0f", "wire type 7"],
    ["the end of a group that never began", "0c", "wire type 4"],
    ["a group without an end", "0b 0805", "unexpected end"],
    ["field number 0", "02 00", "field number of tag 2"],
    ["groups without end", "0b".repeat(100), "groups nested too deep"],
    ["E08 a service that is not UTF-8", "0a 01 ff", "text that is not UTF-8"],
    ["E08 an overlong encoding", "12 02 c080", "text that is not UTF-8"],
    ["M04 a metadata value that is not UTF-8", "2a 03 12 01 80", "text that is not UTF-8"],
    ["a metadata pair cut short", "2a 02 12 05", "unexpected end"],
  ])("%s is refused", (_, bytes, message) => {
    expect(() => decode(hex(bytes))).toThrow(new DecodeError(message));
  });

  test("a byte order mark at the start of a text is kept", () => {
    expect(decode(hex("0a 04 efbbbf61")).service).toBe("\ufeffa");
  });

  test("every prefix of a request decodes or is refused as one", () => {
    const bytes = golden("request of the Rust test suite").slice(HEADER_SIZE);
    for (let end = 0; end <= bytes.length; end++) expectDecodeErrorAtMost(bytes.slice(0, end));
  });

  test("F13 mutated requests decode or are refused, nothing else", () => {
    const random = seeded(7);
    const original = golden("request of the Rust test suite").slice(HEADER_SIZE);
    for (let round = 0; round < 20_000; round++) {
      const bytes = original.slice();
      for (let count = 1 + random() * 4; count > 0; count--) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      expectDecodeErrorAtMost(bytes);
    }
  });
});

function expectDecodeErrorAtMost(bytes: Uint8Array): void {
  try {
    decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
}

function success(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(successSize(payload.length));
  bytes.set(payload, putSuccessHead(bytes, 0, payload.length));
  return bytes;
}

describe("Response", () => {
  test.each([
    ["reply SERVING, Rust", "0801"],
    ["reply empty, Rust", ""],
  ])("the golden %s is how success is written", (name, payload) => {
    expect(success(hex(payload))).toEqual(golden(name).slice(HEADER_SIZE));
  });

  test.each([
    ["reply SERVING, Rust", "0801"],
    ["reply SERVING, Go", "0801"],
    ["reply empty, Rust", ""],
    ["reply empty, Go", ""],
  ])("the golden %s reads as success", (name, payload) => {
    const bytes = golden(name);
    const response = decodeResponse(bytes, HEADER_SIZE, bytes.length);
    expect(response).toEqual({ status: { code: Code.OK, message: "" }, payload: hex(payload) });
  });

  test.each([
    ["even stream id", Code.INVALID_ARGUMENT, "stream id must be odd"],
    ["unknown method", Code.UNIMPLEMENTED, "Nope method"],
    ["unknown service", Code.INVALID_ARGUMENT, "x.Y service does not exist"],
    ["timeout", Code.DEADLINE_EXCEEDED, "timeout"],
  ])("the golden %s is how a refusal is written and read", (name, code, message) => {
    const bytes = golden(name).slice(HEADER_SIZE);
    expect(encodeFailure({ code, message })).toEqual(bytes);
    expect(decodeResponse(bytes, 0, bytes.length).status).toEqual({ code, message });
  });

  test("a code that nobody defined reads as UNKNOWN and never as OK", () => {
    for (const code of ["11", "7f", "ffffffff0f", "ffffffffffffffffff01"]) {
      const status = hex(`08 ${code}`);
      const bytes = concat(Uint8Array.of(0x0a, status.length), status);
      expect(decodeResponse(bytes, 0, bytes.length).status.code).toBe(Code.UNKNOWN);
    }
  });

  test("details of a status are passed over", () => {
    const bytes = hex("0a 0a 08 05 12 01 78 1a 03 0a 01 61");
    const { status } = decodeResponse(bytes, 0, bytes.length);
    expect(status).toEqual({ code: Code.NOT_FOUND, message: "x" });
  });

  test("no head is longer than the room for it", () => {
    expect(putSuccessHead(new Uint8Array(SUCCESS_HEAD_MAX), 0, 2 ** 32 - 1)).toBe(SUCCESS_HEAD_MAX);
    expect(successSize(MAX_BODY - 7)).toBe(MAX_BODY);
  });
});
