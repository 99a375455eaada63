// What somebody says, as text that one can wait for.

export class Transcript {
  text = "";
  readonly #who: string;
  readonly #decoder = new TextDecoder();
  #more = Promise.withResolvers<void>();
  #hasEnded = false;

  /** `who`: for the error where words do not come. */
  constructor(who: string) {
    this.#who = who;
  }

  /** What comes out of `stream`. */
  static of(who: string, stream: ReadableStream<Uint8Array>): Transcript {
    const transcript = new Transcript(who);
    void transcript.#follow(stream);
    return transcript;
  }

  /** Resolves with the part that matches when that has come; throws when the end comes first. */
  async until(words: string | RegExp): Promise<string> {
    for (;;) {
      const [found] =
        typeof words === "string" ? [this.#find(words)] : (words.exec(this.text) ?? []);
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`${this.#who} never said ${words}: ${this.text}`);
      await this.#more.promise;
    }
  }

  receive(chunk: Uint8Array): void {
    this.text += this.#decoder.decode(chunk, { stream: true });
    this.#wake();
  }

  /** Nothing is ever waiting to be sent. */
  drain(): void {}

  lost(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #find(words: string): string | undefined {
    return this.text.includes(words) ? words : undefined;
  }

  async #follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) this.receive(chunk);
    this.lost();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
