import { expect, test } from "bun:test";
import { decodeResponse } from "../../../src/ttrpc/envelope.ts";
import { getHeader, HEADER_SIZE } from "../../../src/ttrpc/frame.ts";
import { successSize } from "../../../src/ttrpc/envelope.ts";
import { frameAround, HEAD_ROOM, hasRoom, withRoom } from "../../../src/ttrpc/room.ts";

test.each([1, 127, 128, 65_536, 4_000_000])("the frame of %d bytes is put around them", (size) => {
  const buffer = new Uint8Array(HEAD_ROOM + size).fill(0x55, HEAD_ROOM);
  const payload = withRoom(buffer.subarray(HEAD_ROOM));
  const header = { length: successSize(size), id: 7, type: 2, flags: 0 };
  const frame = frameAround(payload, header);
  expect(frame.buffer).toBe(buffer.buffer);
  expect(getHeader(frame, 0)).toEqual(header);
  const answer = decodeResponse(frame, HEADER_SIZE, frame.length);
  expect(answer.status.code).toBe(0);
  expect(answer.payload).toEqual(new Uint8Array(size).fill(0x55));
});

test("room is what somebody has said of a payload, not of a view of the same bytes", () => {
  const payload = new Uint8Array(HEAD_ROOM + 1).subarray(HEAD_ROOM);
  expect(hasRoom(payload)).toBe(false);
  withRoom(payload);
  expect(hasRoom(payload)).toBe(true);
  expect(hasRoom(payload.subarray(0))).toBe(false);
});
