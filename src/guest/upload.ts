// A file that comes piece by piece, and takes its name with the last.
import { Mutex } from "../async/mutex.ts";
import { internal, invalidArgument } from "../error.ts";
import { type NewParents, type Place, type Temporary, putPiece } from "../program/shared-file.ts";
import type { Tape } from "../tape/tape.ts";
import { putAside, putInPlace, remove, temporaryAt } from "./put-in-place.ts";

/** In bytes: the size is that of the whole file. */
export type Piece = { readonly size: number; readonly offset: number; readonly data: Uint8Array };

export class Upload {
  readonly #made: Temporary;
  readonly #size: number;
  readonly #queue = new Mutex();
  /** From the start of the file, without a hole. */
  #written = 0;
  #isOver = false;

  constructor(place: Place, size: number) {
    this.#made = temporaryAt(place);
    this.#size = size;
  }

  /** Complete, failed or dropped: nothing is left under its temporary name. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Pieces may come again, but leave no hole. The last says whose the file is and what its mode is.
   * Throws an AgentError for one that does not belong to it, which changes nothing; whatever else goes
   * wrong ends it.
   */
  put(piece: Piece & NewParents, parents: NewParents, signal: AbortSignal): Promise<void> {
    return this.#queue.run(async () => {
      signal.throwIfAborted();
      this.#check(piece);
      const written = Math.max(this.#written, piece.offset + piece.data.length);
      const isLast = written === this.#size;
      const last = isLast ? piece : undefined;
      const write = (tape: Tape) => putPiece(tape, this.#made, { ...piece, last }, parents);
      try {
        await (isLast
          ? putInPlace(this.#made, write, signal)
          : putAside(this.#made, write, signal));
        this.#written = written;
        this.#isOver = isLast;
      } catch (error) {
        this.#isOver = true;
        throw error;
      }
    });
  }

  /** Once the pieces before it are done. */
  drop(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#isOver) return;
      this.#isOver = true;
      await remove(this.#made);
    });
  }

  #check({ size, offset }: Piece): void {
    const { name } = this.#made.place;
    if (this.#isOver) throw internal(`${name}: an earlier piece has failed`);
    if (size !== this.#size)
      throw invalidArgument(`${name}: a file of ${this.#size} bytes cannot become one of ${size}`);
    if (offset > this.#written)
      throw invalidArgument(`${name}: ${this.#written} bytes have come, not yet ${offset}`);
  }
}
