// A unix socket stands in for the vsock port: the machine that runs the tests may have no vsock.
import { expect, test } from "bun:test";
import { listenOn } from "../../../src/kernel/listener.ts";
import { LineOutput } from "../../../src/logging/line-output.ts";
import { LineRing } from "../../../src/logging/line-ring.ts";
import { serveReaders } from "../../../src/logging/log-port.ts";
import { freshName } from "../../support/listen.ts";

class Port implements Disposable {
  readonly #path = freshName();
  readonly #ring = new LineRing();
  readonly #output = new LineOutput(this.#ring, (count) => `${count} lost\n`);
  readonly #listener = listenOn({ family: "unix", path: this.#path }, "the log");
  /** Once the listener is closed. */
  readonly ended = serveReaders(this.#listener, this.#output).catch(String);

  log(line: string): void {
    this.#ring.add(`${line}\n`);
    this.#output.flush();
  }

  connect(): Promise<Reader> {
    return Reader.connect(this.#path);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

class Reader {
  #text = "";
  #more = Promise.withResolvers<void>();
  #socket: Bun.Socket | undefined;

  static async connect(unix: string): Promise<Reader> {
    const reader = new Reader();
    reader.#socket = await Bun.connect({
      unix,
      socket: {
        data(_, chunk) {
          reader.#text += chunk.toString();
          reader.#more.resolve();
          reader.#more = Promise.withResolvers();
        },
      },
    });
    return reader;
  }

  /** All that has come once it ends with `line`. */
  async until(line: string): Promise<string> {
    while (!this.#text.endsWith(`${line}\n`)) await this.#more.promise;
    return this.#text;
  }

  async untilSomething(): Promise<string> {
    while (this.#text === "") await this.#more.promise;
    return this.#text;
  }

  say(words: string): void {
    this.#socket?.write(words);
  }

  close(): void {
    this.#socket?.end();
  }
}

test("a reader of the log gets what was logged before it came, and then the rest", async () => {
  using port = new Port();
  port.log("early");
  const reader = await port.connect();
  expect(await reader.until("early")).toBe("early\n");
  port.log("late");
  expect(await reader.until("late")).toBe("early\nlate\n");
  reader.close();
});

test("the next reader gets its turn when the one before has gone", async () => {
  using port = new Port();
  const first = await port.connect();
  const second = await port.connect();
  port.log("for the first");
  expect(await first.until("for the first")).toBe("for the first\n");
  first.close();
  // Nothing tells when the agent has heard that the first is gone.
  const logging = setInterval(() => port.log("line"), 1);
  expect(await second.untilSomething()).toMatch(/^(line\n)+$/);
  clearInterval(logging);
  second.close();
});

test("the port that can be had no longer ends, and says why", async () => {
  const port = new Port();
  port[Symbol.dispose]();
  expect(await port.ended).toContain("closed descriptor");
});

test("a reader that talks is not listened to, and keeps the log", async () => {
  using port = new Port();
  const reader = await port.connect();
  reader.say("x".repeat(100_000));
  port.log("a");
  await reader.until("a");
  reader.say("y");
  port.log("b");
  expect(await reader.until("b")).toBe("a\nb\n");
  reader.close();
});
