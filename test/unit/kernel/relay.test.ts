import { describe, expect, test } from "bun:test";
import { until } from "../../../src/async/until.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { attempt } from "../../../src/kernel/perform.ts";
import { openPty } from "../../../src/kernel/pty.ts";
import { relay, writeAll } from "../../../src/kernel/relay.ts";
import { write, writeText } from "../../../src/linux/io.ts";
import { openPtyPeer } from "../../../src/linux/tty.ts";
import { openPipe, readAll, readNow } from "../../support/child.ts";
import { socketPair } from "../../support/listen.ts";
import { seeded } from "../../support/random.ts";

const EAGAIN = -11;
const MOST_HELD = 4 << 20;

function sockets(): [Fd, Fd] {
  const [near, far] = socketPair();
  return [new Fd(near), new Fd(far)];
}

describe("a relay", () => {
  test("carries every byte in its order, whatever fits at a time", async () => {
    const [source, from] = sockets();
    const [sink, to] = openPipe();
    using _ = sink;
    const random = seeded(3);
    const sent = Uint8Array.from({ length: 1 << 20 }, () => random() * 0x80);
    const over = relay(from, to).then(() => to.close());
    const written = writeAll(source, sent).then(() => source.close());
    expect(await readAll(sink)).toBe(new TextDecoder().decode(sent));
    await Promise.all([over, written]);
    from.close();
  });

  test("reads no further than it has written", async () => {
    const [source, from] = sockets();
    const [sink, to] = openPipe();
    const over = relay(from, to);
    const chunk = new Uint8Array(64 << 10);
    let sent = 0;
    // More than a socket, a pipe and the relay can hold: then nobody would make it wait.
    const isStuck = () => {
      const count = attempt(write(source.number, chunk));
      sent += Math.max(count, 0);
      return count === EAGAIN || sent > MOST_HELD;
    };
    // The relay may have been about to read.
    for (let looks = 0; looks < 3; looks++) await until(isStuck, 5000);
    expect(sent).toBeLessThanOrEqual(MOST_HELD);
    for (const fd of [source, from, sink, to]) fd.close();
    await over;
  });

  test.each(["from", "to"] as const)("ends when %s is closed while it waits", async (which) => {
    const [source, from] = sockets();
    const [sink, to] = openPipe();
    const over = relay(from, to);
    if (which === "to") sink.close();
    await Promise.resolve();
    if (which === "from") from.close();
    else attempt(writeText(source.number, "nobody takes this"));
    await over;
    for (const fd of [source, from, sink, to]) fd.close();
  });

  test("that hears of no more still carries what has come, and ends", async () => {
    using master = openPty();
    using peer = Fd.of("open its far end", openPtyPeer(master.number));
    const [sink, to] = openPipe();
    using _ = sink;
    attempt(writeText(peer.number, "last words\n"));
    await relay(master, to, AbortSignal.abort());
    to.close();
    expect(await readAll(sink)).toBe("last words\r\n");
  });

  test("that waits is woken by the news that no more comes", async () => {
    const [source, from] = sockets();
    const [sink, to] = openPipe();
    const news = new AbortController();
    const over = relay(from, to, news.signal);
    await Promise.resolve();
    news.abort();
    await over;
    expect(readNow(sink)).toBeUndefined();
    for (const fd of [source, from, sink, to]) fd.close();
  });
});

test("who has closed takes nothing", async () => {
  const [sink, to] = openPipe();
  sink.close();
  expect(await writeAll(to, new Uint8Array(1))).toBe(false);
  to.close();
  expect(await writeAll(to, new Uint8Array(1))).toBe(false);
});
