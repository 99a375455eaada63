import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Code } from "../../../src/ttrpc/code.ts";
import { connect } from "../../../src/ttrpc/client.ts";
import { MAX_CONNECTIONS, serve } from "../../../src/ttrpc/server.ts";
import { EchoFixture, expectAlive, startSleeps, until } from "../../support/echo-fixture.ts";
import { bytes, ECHO, text } from "../../support/echo-service.ts";
import { freshName, listenUnix } from "../../support/listen.ts";
import { concat, frame, type RawPeer, request } from "../../support/raw-peer.ts";

const descriptors = (): number => readdirSync("/proc/self/fd").length;
const lost = expect.objectContaining({ code: Code.CANCELLED, message: "connection lost" });
const closed = { name: "StatusError", code: Code.UNAVAILABLE, message: "connection closed" };

test("C01 answers come in the order in which the calls end", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const sleeps = [frame(1, request("Sleep", bytes("60"))), frame(3, request("Sleep", bytes("30")))];
  await peer.send(concat(...sleeps, frame(5, request("Echo", bytes("at once")))));
  expect((await peer.replies(3)).map(({ id }) => id)).toEqual([5, 3, 1]);
});

test("C02 two thousand calls wait at the same time on one connection", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const started = performance.now();
  const answers = Array.from({ length: 2000 }, () => client.call(ECHO, "Sleep", bytes("300")));
  expect((await Promise.all(answers)).map(text)).toEqual(Array(2000).fill("300"));
  // One after the other they would take ten minutes.
  expect(performance.now() - started).toBeLessThan(3000);
});

test("C03 five hundred connections are served and leave no descriptor", async () => {
  using fixture = new EchoFixture();
  const before = descriptors();
  const clients = await Promise.all(Array.from({ length: 500 }, () => fixture.client()));
  const answers = clients.map((client, index) => client.call(ECHO, "Echo", bytes(String(index))));
  expect((await Promise.all(answers)).map(text)).toEqual(clients.map((_, index) => String(index)));
  expect(fixture.server.connections).toBe(500);
  for (const client of clients) client.close();
  await until(() => fixture.server.connections === 0 && descriptors() <= before);
});

test("a connection too many is closed at once and the others stay", async () => {
  using fixture = new EchoFixture();
  const peers: RawPeer[] = [];
  while (peers.length < MAX_CONNECTIONS) peers.push(await fixture.raw());
  await until(() => fixture.server.connections === MAX_CONNECTIONS);
  const extra = await fixture.raw();
  await extra.closed;
  expect(fixture.server.connections).toBe(MAX_CONNECTIONS);
  await Promise.all(peers.map(expectAlive));
  for (const peer of peers) peer.close();
  await until(() => fixture.server.connections === 0);
});

test("C04 a client that goes away has its handlers told why, and no other client's", async () => {
  using fixture = new EchoFixture();
  const [leaving, staying] = [await fixture.client(), await fixture.client()];
  const [left] = await startSleeps(leaving, 1, 30_000);
  const [stayed] = await startSleeps(staying, 1, 50);
  leaving.close();
  await expect(left).rejects.toMatchObject(closed);
  await until(() => fixture.service.aborted.length > 0);
  expect(await stayed).toBe("50");
  expect(fixture.service.aborted).toEqual([{ payload: "30000", reason: lost }]);
  expect(fixture.faults).toBeEmpty();
});

test("C04 a handler that asks for its signal only afterwards finds it aborted", async () => {
  const signals: AbortSignal[] = [];
  const gone = Promise.withResolvers<void>();
  const path = freshName();
  const late = async (payload: Uint8Array, context: { readonly signal: AbortSignal }) => {
    await gone.promise;
    signals.push(context.signal);
    return payload;
  };
  const server = serve({
    fd: listenUnix(path),
    services: new Map([[ECHO, new Map([["Late", late]])]]),
  });
  const client = await connect({ family: "unix", path });
  const answer = client.call(ECHO, "Late", bytes(""));
  await until(() => server.connections === 1);
  await client.call(ECHO, "None", bytes("")).catch(() => {});
  client.close();
  await expect(answer).rejects.toMatchObject(closed);
  await until(() => server.connections === 0);
  gone.resolve();
  await until(() => signals.length === 1);
  expect(signals[0]?.reason).toEqual(lost);
  server.close();
});

test("C05 a half-closed connection is closed without an answer", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Sleep", bytes("30000"))));
  await expectAlive(peer);
  peer.halfClose();
  await peer.closed;
  expect(peer.unread).toBe(0);
  await until(() => fixture.service.aborted.length === 1);
  expect(fixture.service.aborted).toEqual([{ payload: "30000", reason: lost }]);
});

test("C05 a half-closed connection is closed although an answer has not all left", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  peer.pause();
  await peer.send(frame(1, request("Big", bytes("4000000"))));
  await expectAlive(await fixture.raw());
  peer.halfClose();
  await until(() => fixture.server.connections === 1);
});

test("C06 an idle client that closes is forgotten", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  await client.call(ECHO, "Echo", bytes("once"));
  expect(fixture.server.connections).toBe(1);
  client.close();
  await until(() => fixture.server.connections === 0);
});

test("C07 a client that breaks off within a large answer harms nobody", async () => {
  using fixture = new EchoFixture();
  const [peer, other] = [await fixture.raw(), await fixture.raw()];
  peer.pause();
  await peer.send(frame(1, request("Big", bytes("4000000"))));
  await expectAlive(other);
  peer.close();
  await until(() => fixture.server.connections === 1);
  await expectAlive(other);
  expect(fixture.faults).toBeEmpty();
});

test("C15 a thousand connections one after the other leave nothing behind", async () => {
  using fixture = new EchoFixture();
  const before = descriptors();
  for (let round = 0; round < 1000; round++) {
    const client = await fixture.client();
    if (round % 100 === 0) await client.call(ECHO, "Echo", bytes("x"));
    client.close();
  }
  await until(() => fixture.server.connections === 0 && descriptors() <= before);
});
