import { afterEach, expect, jest, spyOn, test } from "bun:test";
import { Call } from "../../../src/ttrpc/call.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import { EchoFixture, expectAlive } from "../../support/echo-fixture.ts";
import { bytes, ECHO, text } from "../../support/echo-service.ts";
import { concat, frame, request, wire } from "../../support/raw-peer.ts";
import { golden } from "./golden.ts";

const MS = 1_000_000n;
const DAY = 86_400_000;

afterEach(() => jest.useRealTimers());

test("T01 a call over its time is answered for and its handler told", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const started = performance.now();
  await peer.send(frame(1, request("Sleep", bytes("30000"), { timeoutNano: 60n * MS })));
  expect(wire(await peer.next())).toEqual(golden("timeout"));
  expect(performance.now() - started).toBeGreaterThanOrEqual(59);
  const reason = expect.objectContaining({ code: Code.DEADLINE_EXCEEDED, message: "timeout" });
  expect(fixture.service.aborted).toEqual([{ payload: "30000", reason }]);
  await expectAlive(peer);
  expect(fixture.faults).toBeEmpty();
});

test("T02 a handler that does not listen gets no second answer in", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const deaf = request("SleepDeaf", bytes("40"), { timeoutNano: 10n * MS });
  await peer.send(concat(frame(1, deaf), frame(3, request("SleepDeaf", bytes("60")))));
  expect(await peer.replies(2)).toEqual([
    { id: 1, code: 4, text: "timeout" },
    { id: 3, code: 0, text: "60" },
  ]);
  expect(peer.unread).toBe(0);
});

test("T03 a nanosecond is a time limit", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Sleep", bytes("30000"), { timeoutNano: 1n })));
  expect(await peer.reply()).toEqual({ id: 1, code: 4, text: "timeout" });
});

test.each([
  ["T04 none", 0n],
  ["T05 a negative one", -5n],
  ["T05 the least int64", -(2n ** 63n)],
  ["T06 the greatest int64", 2n ** 63n - 1n],
])("%s lets a call take its time", async (_, timeoutNano) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Sleep", bytes("30"), { timeoutNano })));
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "30" });
});

test("T04 a call without a time limit has no timer", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  using timers = spyOn(globalThis, "setTimeout");
  await Promise.all([
    client.call(ECHO, "EchoLater", bytes("a")),
    client.call(ECHO, "Echo", bytes("b")),
  ]);
  expect(timers).not.toHaveBeenCalled();
});

test.each([
  ["T03 part of a millisecond is rounded up", 1_000_001n, 2],
  [
    "T06 a limit longer than a timer can run is waited for in parts",
    BigInt(30 * DAY) * MS,
    30 * DAY,
  ],
])("%s", (_, timeoutNano, milliseconds) => {
  jest.useFakeTimers();
  const rest = { service: "", method: "", payload: bytes(""), metadata: new Map() };
  const call = new Call(1, 0, { ...rest, timeoutNano });
  const expired: number[] = [];
  call.arm(({ id }) => expired.push(id));
  jest.advanceTimersByTime(milliseconds - 1);
  expect(expired).toBeEmpty();
  jest.advanceTimersByTime(1);
  expect(expired).toEqual([1]);
});

test("T07 the handler sees the limit that the caller sent", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const answer = await client.call(ECHO, "Deadline", bytes(""), { timeoutNano: 5000n * MS });
  expect(text(answer)).toBe("5000000000");
});

test("T09 a thousand calls over their time get an answer each and leave no timer", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  using started = spyOn(globalThis, "setTimeout");
  using stopped = spyOn(globalThis, "clearTimeout");
  const calls = Array.from({ length: 1000 }, (_, index) =>
    frame(2 * index + 1, request("Never", bytes(""), { timeoutNano: 50n * MS })),
  );
  const quick = frame(2001, request("EchoLater", bytes("quick"), { timeoutNano: 60_000n * MS }));
  await peer.send(concat(...calls, quick));
  const replies = await peer.replies(1001);
  expect(replies.shift()).toEqual({ id: 2001, code: 0, text: "quick" });
  expect(replies.every(({ code, text: why }) => code === 4 && why === "timeout")).toBe(true);
  expect(new Set(replies.map(({ id }) => id)).size).toBe(1000);
  // The thousand timers have fired; the one of the quick call must have been stopped.
  const timers = started.mock.results.map(({ value }) => value);
  expect(timers).toHaveLength(1001);
  const cleared: unknown[] = stopped.mock.calls.map(([timer]) => timer);
  expect(cleared).toContain(timers[1000]);
});
