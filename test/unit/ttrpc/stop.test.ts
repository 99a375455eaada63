import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Code } from "../../../src/ttrpc/code.ts";
import { connect } from "../../../src/ttrpc/client.ts";
import { serve } from "../../../src/ttrpc/server.ts";
import { EchoFixture, expectAlive, startSleeps, until } from "../../support/echo-fixture.ts";
import { bytes, ECHO, echoService, text } from "../../support/echo-service.ts";
import { freshName, listenUnix } from "../../support/listen.ts";
import { frame, request } from "../../support/raw-peer.ts";

const descriptors = (): number => readdirSync("/proc/self/fd").length;
const lost = expect.objectContaining({ code: Code.CANCELLED, message: "connection lost" });
const closed = { name: "StatusError", code: Code.UNAVAILABLE, message: "connection closed" };

test("C09 a graceful stop answers what runs, then closes and accepts nobody", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const idle = await fixture.raw();
  const answers = await startSleeps(client, 5, 50);
  const stopped = fixture.server.stop(10_000);
  await idle.closed;
  await expect(fixture.raw()).rejects.toThrow();
  expect(await Promise.all(answers)).toEqual(Array(5).fill("50"));
  await stopped;
  await client.closed;
  expect(fixture.server.connections).toBe(0);
});

test("C09 two stops at the same time both end", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const [answer] = await startSleeps(client, 1, 30);
  await Promise.all([fixture.server.stop(10_000), fixture.server.stop(10_000)]);
  expect(await answer).toBe("30");
});

test("C09 a stop lets a large answer leave before it closes", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  peer.pause();
  await peer.send(frame(1, request("Big", bytes("4000000"))));
  await expectAlive(await fixture.raw());
  const stopped = fixture.server.stop(10_000);
  peer.resume();
  expect(await peer.next()).toMatchObject({ id: 1, length: 4_000_007 });
  await stopped;
  await peer.closed;
});

test("C09 a stop ends after its budget although a call goes on", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const [answer] = await startSleeps(client, 1, 30_000);
  const outcome = answer?.catch((error: unknown) => error);
  await fixture.server.stop(20);
  expect(await outcome).toMatchObject(closed);
  expect(fixture.service.aborted).toEqual([{ payload: "30000", reason: lost }]);
});

test("C09 what arrives during a stop is not begun", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Sleep", bytes("40"))));
  await expectAlive(peer);
  const stopped = fixture.server.stop(10_000);
  await peer.send(frame(3, request("Append", bytes("late"))));
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "40" });
  await stopped;
  expect(fixture.service.appended).toBeEmpty();
});

test("C09 a call that was timed out and ended later does not hold up a stop", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const deaf = client.call(ECHO, "SleepDeaf", bytes("10"), { timeoutNano: 1n });
  await expect(deaf).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  await client.call(ECHO, "Sleep", bytes("20"));
  await fixture.server.stop(20_000);
});

test("C09 a call that was timed out and did not listen does not hold up a stop", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const deaf = client.call(ECHO, "SleepDeaf", bytes("30000"), { timeoutNano: 1n });
  await expect(deaf).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  await fixture.server.stop(20_000);
});

test("C10 a hard close leaves no connection and no descriptor", async () => {
  const before = descriptors();
  const fixture = new EchoFixture();
  const clients = await Promise.all([fixture.client(), fixture.client()]);
  const [answer] = await startSleeps(clients[0], 1, 30_000);
  fixture.server.close();
  await expect(answer).rejects.toMatchObject(closed);
  await Promise.all(clients.map((client) => client.closed));
  await until(() => fixture.server.connections === 0 && descriptors() <= before);
});

test("C11 a stop straight after the start never hangs", async () => {
  for (let round = 0; round < 100; round++) {
    const fixture = new EchoFixture();
    if (round % 2 === 0) await fixture.raw();
    await fixture.server.stop(5000);
  }
});

test("C14 a stopped server gives up the name of its socket", async () => {
  const path = freshName();
  for (const payload of ["first", "second"]) {
    const server = serve({ fd: listenUnix(path), services: echoService().services });
    const client = await connect({ family: "unix", path });
    expect(text(await client.call(ECHO, "Echo", bytes(payload)))).toBe(payload);
    await server.stop(1000);
  }
});

test("C10 a handler that closes the server is the last one to run", async () => {
  const path = freshName();
  const { services, appended } = echoService();
  const close = (payload: Uint8Array): Uint8Array => {
    server.close();
    return payload;
  };
  const closing = new Map([["test.Closing", new Map([["Close", close]])]]);
  const server = serve({ fd: listenUnix(path), services: new Map([...services, ...closing]) });
  const client = await connect({ family: "unix", path });
  const calls = [
    client.call("test.Closing", "Close", bytes("")),
    client.call(ECHO, "Append", bytes("after")),
  ];
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(appended).toBeEmpty();
});
