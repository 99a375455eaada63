// ReadStreamResponse, written by hand: bulk data went through three copies to become a message.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReadStreamResponseSchema } from "../gen/agent_pb.ts";
import { fieldSize, putField, putVarint } from "../ttrpc/protobuf.ts";
import { HEAD_ROOM, withRoom } from "../ttrpc/room.ts";

export type StreamData = MessageInitShape<typeof ReadStreamResponseSchema>;

/** A field of bytes with the number 1, which is all of ReadStreamResponse. */
const DATA = 0x0a;

/** The message. Bulk data, which has room before it for its heads (`container/output-stream.ts`), is not copied again. */
export function streamMessage({ data = NO_DATA }: StreamData): Uint8Array {
  const size = fieldSize(data.length);
  const start = data.byteOffset - (size - data.length);
  if (data.length > 0 && start >= HEAD_ROOM) {
    const message = new Uint8Array(data.buffer, start, size);
    message[0] = DATA;
    putVarint(message, 1, data.length);
    return withRoom(message);
  }
  const message = new Uint8Array(size);
  putField(message, 0, DATA, data);
  return message;
}

const NO_DATA = new Uint8Array(0);
