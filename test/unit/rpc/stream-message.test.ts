import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "bun:test";
import { ReadStreamResponseSchema } from "../../../src/gen/agent_pb.ts";
import { streamMessage } from "../../../src/rpc/stream-message.ts";
import { hasRoom } from "../../../src/ttrpc/room.ts";

const SIZES = [0, 1, 127, 128, 16_383, 16_384, 65_536, 1 << 20];

function bytesOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => index % 251);
}

/** The bytes, at the end of a buffer with so many more before them. */
function behind(room: number, bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(room + bytes.length);
  buffer.set(bytes, room);
  return buffer.subarray(room);
}

describe.each(SIZES)("the message of %d bytes of a stream", (size) => {
  const data = bytesOf(size);
  const wanted = toBinary(ReadStreamResponseSchema, create(ReadStreamResponseSchema, { data }));

  test("is what the library makes, with room before the data and without", () => {
    for (const room of [0, 1, 23, 24, 32, 100]) {
      expect(streamMessage({ data: behind(room, data) })).toEqual(wanted);
    }
  });

  test("takes the room before the data, if there is enough for all the heads", () => {
    const roomy = behind(32, data);
    const message = streamMessage({ data: roomy });
    expect(hasRoom(message)).toBe(size > 0);
    if (size > 0) expect(message.buffer).toBe(roomy.buffer);
    expect(hasRoom(streamMessage({ data: behind(18, data) }))).toBe(false);
  });
});

test("an answer without data is an empty message", () => {
  expect(streamMessage({})).toEqual(new Uint8Array(0));
});
