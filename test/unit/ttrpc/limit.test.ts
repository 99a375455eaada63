import { expect, test } from "bun:test";
import { Code } from "../../../src/ttrpc/code.ts";
import { MAX_BODY, MESSAGE_DATA, oversizeText } from "../../../src/ttrpc/frame.ts";
import { EchoFixture, expectAlive, until } from "../../support/echo-fixture.ts";
import { bytes, ECHO } from "../../support/echo-service.ts";
import { concat, frame, request, wire } from "../../support/raw-peer.ts";
import { golden } from "./golden.ts";

const MIB = 1 << 20;

test.each([
  ["L01 a request", 1, {}],
  ["L02 a request on an even stream", 2, {}],
  ["L03 a data frame", 1, { type: MESSAGE_DATA }],
  ["a frame of unknown type", 1, { type: 9 }],
])("%s of 4 MiB and one byte is refused for its size", async (_, id, kind) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(id, new Uint8Array(MAX_BODY + 1), kind));
  expect(await peer.reply()).toEqual({ id, code: 3, text: oversizeText(4194305) });
  await expectAlive(peer);
});

test("L01 the refusal is the reference server's, byte for byte", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, new Uint8Array(MAX_BODY + 1)));
  expect(wire(await peer.next())).toEqual(golden("oversize"));
});

test("L04 a request of exactly 4 MiB is served", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const call = request("Echo", bytes("padded"));
  // Field 15 with a length of four bytes pads the rest.
  const padding = new Uint8Array(MAX_BODY - call.length);
  const rest = padding.length - 5;
  padding.set([
    0x7a,
    (rest & 127) | 128,
    ((rest >> 7) & 127) | 128,
    ((rest >> 14) & 127) | 128,
    rest >> 21,
  ]);
  await peer.send(frame(1, concat(call, padding)));
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "padded" });
});

test("L05 a response of exactly 4 MiB is delivered", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Big", bytes(String(MAX_BODY - 7)))));
  expect(await peer.next()).toMatchObject({ id: 1, length: MAX_BODY });
});

test("L06 one byte more is replaced by an error and other calls go on", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const calls = [
    frame(1, request("Sleep", bytes("20"))),
    frame(3, request("Big", bytes(String(MAX_BODY - 6)))),
  ];
  await peer.send(concat(...calls));
  expect(await peer.replies(2)).toEqual([
    { id: 3, code: 3, text: oversizeText(MAX_BODY + 1) },
    { id: 1, code: 0, text: "20" },
  ]);
});

test("L06 a refusal too long to send is replaced as well", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  // Each of these bytes becomes a replacement character of three.
  await peer.send(frame(1, request("Err", new Uint8Array(2 * MIB).fill(0xff))));
  expect(await peer.reply()).toMatchObject({ id: 1, code: 3 });
  await expectAlive(peer);
});

test("L07 a body announced as 4 GiB that stalls hurts nobody, and goes with its connection", async () => {
  using fixture = new EchoFixture();
  const stalled = await fixture.raw();
  await stalled.send(frame(1, new Uint8Array(3), { length: 0xffffffff }));
  await expectAlive(await fixture.raw());
  expect(stalled.unread).toBe(0);
  expect(fixture.server.connections).toBe(2);
  stalled.close();
  await until(() => fixture.server.connections === 1);
});

test("L08 64 MiB of one body are passed over without being kept", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const piece = new Uint8Array(MIB);
  await peer.send(frame(1, new Uint8Array(0), { length: 64 * MIB }));
  Bun.gc(true);
  const before = process.memoryUsage().arrayBuffers;
  for (let sent = 1; sent < 64; sent++) await peer.send(piece);
  Bun.gc(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
  expect(peer.unread).toBe(0);
  await peer.send(piece);
  expect(await peer.reply()).toEqual({ id: 1, code: 3, text: oversizeText(64 * MIB) });
  await expectAlive(peer);
});

test("L09 the client refuses to send more than 4 MiB, and sends nothing", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const tooLong = client.call(ECHO, "Append", new Uint8Array(MAX_BODY));
  await expect(tooLong).rejects.toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: expect.stringContaining("exceed maximum message size of 4194304"),
  });
  await client.call(ECHO, "Append", bytes("after"));
  expect(fixture.service.appended).toEqual(["after"]);
});

test("L10 3.9 MiB go there and back twenty times without a changed byte", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const payload = crypto.getRandomValues(new Uint8Array(65_536));
  const large = new Uint8Array(Math.floor(3.9 * MIB)).map(
    (_, index) => payload[index & 0xffff] ?? 0,
  );
  const answers = Array.from({ length: 20 }, () => client.call(ECHO, "EchoLater", large));
  for (const answer of answers) expect(Buffer.compare(await answer, large)).toBe(0);
});
