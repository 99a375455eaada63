import { expect, test } from "bun:test";
import { MAX_HELD, MAX_UNSENT } from "../../../src/ttrpc/connection.ts";
import { EchoFixture, expectAlive } from "../../support/echo-fixture.ts";
import { bytes } from "../../support/echo-service.ts";
import { concat, frame, request, type RawPeer } from "../../support/raw-peer.ts";

const MIB = 1 << 20;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Write as much of `stream` as ever goes through: until the socket has taken nothing more for fifty
 * turns of the event loop, each of which lets the server read what it wants to.
 */
async function stuff(peer: RawPeer, stream: Uint8Array): Promise<number> {
  let sent = 0;
  for (let idle = 0; idle < 50 && sent < stream.length; idle++) {
    const count = peer.offer(stream, sent);
    if (count > 0) idle = 0;
    sent += Math.max(count, 0);
    await turn();
  }
  return sent;
}

/** Calls of `method` with 4 KiB each, `total` bytes of them. */
function manyCalls(method: string, total: number): { stream: Uint8Array; count: number } {
  const body = request(method, new Uint8Array(4096).fill(97));
  const count = Math.ceil(total / 4096);
  return {
    stream: concat(...Array.from({ length: count }, (_, at) => frame(2 * at + 1, body))),
    count,
  };
}

test.each(["Echo", "EchoLater"])(
  "C08 58 MB of %s from a peer that does not read stop at the bound, and go on when it reads",
  async (method) => {
    using fixture = new EchoFixture();
    const [peer, other] = [await fixture.raw(), await fixture.raw()];
    const { stream, count } = manyCalls(method, 58_000_000);
    Bun.gc(true);
    const before = process.memoryUsage().arrayBuffers;
    peer.pause();
    const sent = await stuff(peer, stream);
    Bun.gc(true);
    // On top of the bound: a read or two, and what the sockets themselves hold.
    expect(sent).toBeGreaterThan(MAX_UNSENT);
    expect(sent).toBeLessThan(MAX_UNSENT + 2 * MIB);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MAX_UNSENT + 2 * MIB);
    await expectAlive(other);

    peer.resume();
    const rest = peer.send(stream.subarray(sent));
    for (let index = 0; index < count; index++) {
      expect(await peer.next()).toMatchObject({ id: 2 * index + 1, type: 2 });
    }
    await rest;
    expect(fixture.server.connections).toBe(2);
  },
);

test("C08 a peer that stopped reading is let go when it closes", async () => {
  using fixture = new EchoFixture();
  const [peer, other] = [await fixture.raw(), await fixture.raw()];
  peer.pause();
  await stuff(peer, manyCalls("Echo", 12 * MIB).stream);
  peer.close();
  while (fixture.server.connections > 1) await turn();
  await expectAlive(other);
  expect(fixture.faults).toBeEmpty();
});

test("C08 refusals count like answers", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  peer.pause();
  const stream = concat(...Array<Uint8Array>(400_000).fill(frame(2, request("Echo"))));
  const sent = await stuff(peer, stream);
  expect(sent).toBeLessThan(MAX_UNSENT + 2 * MIB);
});

test("C08 a few bytes that ask for much are answered no further than the bound", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const body = request("Big", bytes(String(MIB)));
  peer.pause();
  Bun.gc(true);
  const before = process.memoryUsage().arrayBuffers;
  await peer.send(concat(...Array.from({ length: 100 }, (_, index) => frame(2 * index + 1, body))));
  await expectAlive(await fixture.raw());
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * MAX_UNSENT);
  peer.resume();
  for (let index = 0; index < 100; index++) {
    expect(await peer.next()).toMatchObject({ id: 2 * index + 1 });
  }
});

test("calls that run and hold much stop the reading of more", async () => {
  using fixture = new EchoFixture();
  const [peer, other] = [await fixture.raw(), await fixture.raw()];
  const call = frame(1, request("Never", new Uint8Array(MIB)));
  const sent = await stuff(peer, concat(...Array<Uint8Array>(80).fill(call)));
  expect(sent).toBeGreaterThan(MAX_HELD - 2 * MIB);
  expect(sent).toBeLessThan(MAX_HELD + 4 * MIB);
  await expectAlive(other);
});

test("small calls that run count for more than their bytes", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const call = frame(1, request("Never"));
  // What the sockets hold is some tens of thousands of these.
  const sent = await stuff(peer, concat(...Array<Uint8Array>(200_000).fill(call)));
  expect(sent).toBeLessThan(100_000 * call.length);
});

test("calls that waited for others to end are served in their turn", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const call = frame(1, request("Sleep", bytes("20".padStart(2 * MIB))));
  const sending = peer.send(concat(...Array<Uint8Array>(40).fill(call)));
  for (let index = 0; index < 40; index++) expect(await peer.next()).toMatchObject({ id: 1 });
  await sending;
});

test("C20 a large answer that nobody takes delays no other connection", async () => {
  using fixture = new EchoFixture();
  const [slow, quick] = [await fixture.raw(), await fixture.raw()];
  slow.pause();
  await slow.send(frame(1, request("Big", bytes("3900000"))));
  for (let round = 0; round < 100; round++) await expectAlive(quick);
  expect(slow.unread).toBe(0);
  slow.resume();
  expect(await slow.next()).toMatchObject({ id: 1, length: 3_900_007 });
});

test("C08 calls that take their time are admitted by what they may answer with", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const size = 32 << 10;
  const body = request("BigLater", bytes(String(size)));
  const stream = concat(...Array.from({ length: 8000 }, (_, index) => frame(2 * index + 1, body)));
  peer.pause();
  await stuff(peer, stream);
  await expectAlive(await fixture.raw());
  expect(fixture.service.echoes * size).toBeLessThan(MAX_HELD + MAX_UNSENT);
  peer.resume();
  for (let index = 0; index < 8000; index++) expect(await peer.next()).toMatchObject({ type: 2 });
});
