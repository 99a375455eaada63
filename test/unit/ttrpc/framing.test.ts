import { expect, test } from "bun:test";
import { FrameReader, MESSAGE_DATA, MESSAGE_RESPONSE } from "../../../src/ttrpc/frame.ts";
import { decodeRequest } from "../../../src/ttrpc/envelope.ts";
import { DecodeError } from "../../../src/ttrpc/protobuf.ts";
import { EchoFixture, expectAlive, until } from "../../support/echo-fixture.ts";
import { bytes } from "../../support/echo-service.ts";
import { concat, frame, request } from "../../support/raw-peer.ts";
import { seeded } from "../../support/random.ts";

const echo = (value: string): Uint8Array => request("Echo", bytes(value));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("F01 a call is answered by one response frame without flags", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, echo("hi")));
  const { id, type, flags, bytes: chunk, start, length } = await peer.next();
  expect({ id, type, flags }).toEqual({ id: 1, type: MESSAGE_RESPONSE, flags: 0 });
  expect(chunk.slice(start, start + length).toHex()).toBe("0a0012026869");
});

test.each([
  ["F02 one byte per write", [1]],
  ["F03 a header in four writes and a body in one", [4, 4, 1, 1, 1000]],
])("%s is answered like any other", async (_, sizes) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const whole = frame(1, echo("in pieces"));
  for (let at = 0, index = 0; at < whole.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    await peer.send(whole.slice(at, at + size));
    await turn();
    at += size;
  }
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "in pieces" });
});

test("F04 a hundred calls in one write get a hundred answers", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const ids = Array.from({ length: 100 }, (_, index) => 2 * index + 1);
  await peer.send(concat(...ids.map((id) => frame(id, echo(`call ${id}`)))));
  const replies = await peer.replies(100);
  expect(replies).toEqual(ids.map((id) => ({ id, code: 0, text: `call ${id}` })));
});

test("F05 a write that ends in the middle of the second call answers both in the end", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const first = frame(1, echo("first"));
  const second = frame(3, echo("second"));
  await peer.send(concat(first, second.slice(0, 17)));
  expect(await peer.reply()).toMatchObject({ id: 1, text: "first" });
  await peer.send(second.slice(17));
  expect(await peer.reply()).toMatchObject({ id: 3, text: "second" });
});

test("F07 a request without a body names no service", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1));
  expect(await peer.reply()).toEqual({ id: 1, code: 3, text: " service does not exist" });
  await expectAlive(peer);
});

test.each([
  ["F08", 0],
  ["F08", 4],
  ["F08", 255],
  ["F09", MESSAGE_RESPONSE],
])("%s a frame of type %d is passed over with its body", async (_, type) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(concat(frame(1, bytes("body"), { type }), frame(3, echo("next"))));
  expect(await peer.reply()).toMatchObject({ id: 3, text: "next" });
});

test("F10 a client that closes after three calls is served what it sent, then let go", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const calls = ["a", "b", "c"].map((value) => request("Append", bytes(value)));
  await peer.send(concat(...calls.map((body, index) => frame(2 * index + 1, body))));
  peer.close();
  await until(() => fixture.service.appended.length === 3 && fixture.server.connections === 0);
  expect(fixture.service.appended).toEqual(["a", "b", "c"]);
});

test.each([
  ["F11 after half a header", frame(1).slice(0, 5)],
  ["F12 after three bytes of a body of fifty", frame(1, new Uint8Array(3), { length: 50 })],
])("%s an end of the stream closes quietly", async (_, start) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(start);
  peer.halfClose();
  await peer.closed;
  await until(() => fixture.server.connections === 0);
  expect(peer.unread).toBe(0);
  expect(fixture.faults).toBeEmpty();
});

test("F14 a call is answered while the header of the next has only begun", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(concat(frame(1, echo("first")), Uint8Array.of(0, 0)));
  expect(await peer.reply()).toMatchObject({ id: 1, text: "first" });
});

const random = seeded(2024);
const noise = Uint8Array.from({ length: 65_536 }, () => random() * 256);

function noisy(longest: number): Uint8Array {
  const length = Math.floor(random() ** 4 * longest);
  const start = Math.floor(random() * (noise.length - length));
  return noise.slice(start, start + length);
}

/** Bytes that look enough like frames to get past the header, most of the time. */
function hostileBytes(): Uint8Array {
  const parts: Uint8Array[] = [];
  while (random() < 0.8) {
    const call = request(random() < 0.5 ? "EchoLater" : "Status", noisy(900));
    if (random() < 0.5) call[Math.floor(random() * call.length)] = Math.floor(random() * 256);
    const body = random() < 0.6 ? call : noisy(60_000);
    const type = Math.floor(random() * 5);
    const length = random() < 0.9 ? body.length : Math.floor(random() * 70_000);
    parts.push(frame(Math.floor(random() * 20), body, { type, length }));
  }
  return concat(...parts);
}

test("F13 hostile bytes never stop the server, whatever becomes of their connection", async () => {
  using fixture = new EchoFixture();
  for (let round = 0; round < 400; round++) {
    const peer = await fixture.raw();
    await peer.send(hostileBytes());
    if (random() < 0.5) await turn();
    peer.close();
  }
  await until(() => fixture.server.connections === 0);
  await expectAlive(await fixture.raw());
});

test("F13 ten thousand hostile inputs are cut and decoded without any other error", () => {
  let decoded = 0;
  for (let round = 0; round < 10_000; round++) {
    const reader = new FrameReader();
    reader.push(hostileBytes());
    for (let next = reader.next(); next; next = reader.next()) {
      try {
        decodeRequest(next.bytes, next.start, next.start + next.length);
        decoded++;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  }
  expect(decoded).toBeGreaterThan(1000);
});

test("a data frame is not taken for a call", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, echo("no call"), { type: MESSAGE_DATA }));
  expect(await peer.reply()).toMatchObject({ id: 1, code: 3 });
  expect(fixture.service.echoes).toBe(0);
});
