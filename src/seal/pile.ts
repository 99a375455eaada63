// Pieces of a file put one behind the other, each where its alignment lets it begin.
import { alignUp } from "./align.ts";

export class Pile {
  readonly #pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #size = 0;

  /** Gives the piece's offset. What is written to `bytes` before `join` is part of the result. */
  add(bytes: Uint8Array, alignment = 8): number {
    const at = alignUp(this.#size, alignment);
    this.#pieces.push({ at, bytes });
    this.#size = at + bytes.length;
    return at;
  }

  /** Zeros fill what no piece does, and the end up to `alignment`. */
  join(alignment = 1): Uint8Array {
    const all = new Uint8Array(alignUp(this.#size, alignment));
    for (const { at, bytes } of this.#pieces) all.set(bytes, at);
    return all;
  }
}
