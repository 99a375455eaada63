/**
 * What waits to be sent on one socket. Frames queue up here and leave together, in one write where
 * possible: that is what makes pipelined calls fast. Pure: the socket is whatever can be written to.
 */

import { HEADER_SIZE, type Header, putHeader } from "./frame.ts";

/** Takes bytes without waiting and says how many; less than offered is a full socket, -1 a closed one. */
export type Writable = { write(bytes: Uint8Array, offset: number, length: number): number };

const STAGE_SIZE = 64 << 10;

/** Bytes up to this size are copied to the stage; longer ones are cheaper to send with a write of their own. */
export const COPY_UP_TO = 16 << 10;

/** Stages that no connection uses now. Few are used at once: one is given back when all is sent. */
const spareStages: Uint8Array[] = [];
const MAX_SPARE_STAGES = 8;

const EMPTY = new Uint8Array(0);

export class Output {
  /** Finished pieces, oldest first. Of the first, `#sent` bytes have gone. */
  readonly #pieces: Uint8Array[] = [];
  #sent = 0;
  /** Small frames are put together here; what stands between `#start` and `#end` comes after all pieces. */
  #stage: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;
  #unsent = 0;

  /** Bytes queued and not yet taken by the socket. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * Queue a frame: its header, the first `headSize` bytes of `head`, then `payload`. The payload must
   * not change any more, for a long one is not copied; the head may be used again at once.
   */
  frame(header: Header, head: Uint8Array, headSize: number, payload: Uint8Array): void {
    const copied = payload.length <= COPY_UP_TO;
    this.#reserve(HEADER_SIZE + headSize + (copied ? payload.length : 0));
    let at = putHeader(this.#stage, this.#end, header);
    for (let index = 0; index < headSize; index++) this.#stage[at++] = head[index] ?? 0;
    if (copied) {
      this.#stage.set(payload, at);
      at += payload.length;
    }
    this.#unsent += at - this.#end;
    this.#end = at;
    if (!copied) this.piece(payload);
  }

  /** Queue a whole frame, or the end of one. It must not change any more. */
  piece(bytes: Uint8Array): void {
    this.#seal();
    this.#pieces.push(bytes);
    this.#unsent += bytes.length;
  }

  /** Offer everything to the socket. Stops where it is full; call again when it drains. */
  flush(socket: Writable): void {
    while (this.#pieces.length > 0) {
      const piece = this.#pieces[0] ?? EMPTY;
      const rest = piece.length - this.#sent;
      const count = socket.write(piece, this.#sent, rest);
      if (count > 0) this.#unsent -= count;
      if (count < rest) {
        this.#sent += Math.max(count, 0);
        return;
      }
      this.#pieces.shift();
      this.#sent = 0;
    }
    if (this.#start < this.#end) {
      const count = socket.write(this.#stage, this.#start, this.#end - this.#start);
      if (count > 0) {
        this.#unsent -= count;
        this.#start += count;
      }
      if (this.#start < this.#end) return;
    }
    this.#release();
  }

  #reserve(size: number): void {
    if (this.#stage.length - this.#end >= size) return;
    this.#seal();
    this.#stage = spareStages.pop() ?? new Uint8Array(STAGE_SIZE);
    this.#start = 0;
    this.#end = 0;
  }

  /** Make a piece of what is staged, so that something else can follow it. */
  #seal(): void {
    if (this.#start === this.#end) return;
    this.#pieces.push(this.#stage.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  /** All is sent, so nobody else has a view of the stage. */
  #release(): void {
    if (this.#stage === EMPTY) return;
    if (spareStages.length < MAX_SPARE_STAGES) spareStages.push(this.#stage);
    this.#stage = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }
}
