import { expect, test } from "bun:test";
import { MESSAGE_DATA } from "../../../src/ttrpc/frame.ts";
import { EchoFixture, expectAlive } from "../../support/echo-fixture.ts";
import { bytes } from "../../support/echo-service.ts";
import { concat, frame, request, wire } from "../../support/raw-peer.ts";
import { golden } from "./golden.ts";

const echo = (value: string): Uint8Array => request("Echo", bytes(value));

test.each([
  ["I01", 2, {}],
  ["I02", 0, {}],
  ["I03", 2, { type: MESSAGE_DATA }],
])("%s a frame on stream %d is refused on that stream", async (_, id, kind) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(id, echo("even"), kind));
  expect(await peer.reply()).toEqual({ id, code: 3, text: "stream id must be odd" });
  await expectAlive(peer);
});

test("I01 the refusal of an even stream is the reference server's, byte for byte", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(2, echo("even")));
  expect(wire(await peer.next())).toEqual(golden("even stream id"));
});

test.each([
  ["I04 ids with gaps", [1, 101]],
  ["I05 the greatest id", [0xffffffff]],
  ["I06 an id below an earlier one", [9, 3]],
  ["I07 an id used before", [1, 1]],
  ["I10 ids around the sign bit", [0x7fffffff, 0x80000001]],
])("%s: each is answered under its own id", async (_, ids) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  for (const id of ids) {
    await peer.send(frame(id, echo(`call ${id}`)));
    expect(await peer.reply()).toEqual({ id, code: 0, text: `call ${id}` });
  }
});

test("I08 two calls at once under one id get an answer each, the faster first", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(concat(frame(1, request("Sleep", bytes("50"))), frame(1, echo("fast"))));
  expect(await peer.replies(2)).toEqual([
    { id: 1, code: 0, text: "fast" },
    { id: 1, code: 0, text: "50" },
  ]);
});

test("I09 one id on two connections is two calls", async () => {
  using fixture = new EchoFixture();
  const [left, right] = [await fixture.raw(), await fixture.raw()];
  await Promise.all([left.send(frame(1, echo("left"))), right.send(frame(1, echo("right")))]);
  expect(await left.reply()).toEqual({ id: 1, code: 0, text: "left" });
  expect(await right.reply()).toEqual({ id: 1, code: 0, text: "right" });
});
