import { expect, test } from "bun:test";
import { Code } from "../../../src/ttrpc/code.ts";
import { connect } from "../../../src/ttrpc/client.ts";
import { EchoFixture } from "../../support/echo-fixture.ts";
import { bytes, ECHO, text } from "../../support/echo-service.ts";
import { socketPair } from "../../support/listen.ts";

const closed = { name: "StatusError", code: Code.UNAVAILABLE, message: "connection closed" };

test("C13 a call on a closed connection fails and does not hang", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  fixture.server.close();
  await client.closed;
  await expect(client.call(ECHO, "Echo", bytes("late"))).rejects.toMatchObject(closed);
});

test("C17 one process may hold two connections", async () => {
  using fixture = new EchoFixture();
  const [agent, health] = [await fixture.client(), await fixture.client()];
  const both = [
    agent.call(ECHO, "Echo", bytes("agent")),
    health.call(ECHO, "Echo", bytes("health")),
  ];
  expect((await Promise.all(both)).map(text)).toEqual(["agent", "health"]);
});

test("C18 a long poll holds up none of ten thousand calls on its connection", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  let polled = false;
  const poll = client.call(ECHO, "Never", bytes("")).finally(() => (polled = true));
  for (let round = 0; round < 100; round++) {
    const answers = Array.from({ length: 100 }, () => client.call(ECHO, "EchoLater", bytes("x")));
    await Promise.all(answers);
  }
  expect(polled).toBe(false);
  client.close();
  await expect(poll).rejects.toMatchObject(closed);
});

test("C19 calls sent one after the other are begun in that order", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const sent = Array.from({ length: 100 }, (_, index) => String(index));
  await Promise.all(sent.map((value) => client.call(ECHO, "Append", bytes(value))));
  expect(fixture.service.appended).toEqual(sent);
});

test("the client gives up with its signal and ignores the late answer", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const giving = new AbortController();
  const answer = client.call(ECHO, "Sleep", bytes("10"), { signal: giving.signal });
  const before = client.call(ECHO, "Echo", bytes(""), { signal: AbortSignal.abort("before") });
  await expect(before).rejects.toBe("before");
  giving.abort("enough");
  await expect(answer).rejects.toBe("enough");
  expect(text(await client.call(ECHO, "Sleep", bytes("20")))).toBe("20");
});

test("the client adopts a descriptor that is connected already", async () => {
  const [left, right] = socketPair();
  const [client, other] = await Promise.all([connect({ fd: left }), connect({ fd: right })]);
  const answer = client.call(ECHO, "Echo", bytes(""));
  other.close();
  await expect(answer).rejects.toMatchObject(closed);
});
