import { expect, test } from "bun:test";
import { MESSAGE_DATA } from "../../../src/ttrpc/frame.ts";
import { EchoFixture, expectAlive } from "../../support/echo-fixture.ts";
import { bytes } from "../../support/echo-service.ts";
import { concat, frame, request, wire } from "../../support/raw-peer.ts";
import { golden } from "./golden.ts";

const inactive = (id: number) => ({ id, code: 3, text: "Stream is no longer active" });

test.each([
  ["S01 data", golden('data "a"')],
  ["S02 a close", golden("close")],
])("%s on a stream that never was is refused", async (_, data) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(data);
  expect(wire(await peer.next())).toEqual(golden("inactive stream"));
  await expectAlive(peer);
});

test.each([
  ["S03 data", frame(1, bytes("a"), { type: MESSAGE_DATA })],
  ["S04 a frame of no data", frame(1, new Uint8Array(0), { type: MESSAGE_DATA, flags: 4 })],
])("%s for a call that runs is refused, and the call still answered", async (_, data) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const other = frame(3, request("Sleep", bytes("25")));
  await peer.send(concat(frame(1, request("Sleep", bytes("20"))), other, data));
  expect(await peer.replies(3)).toEqual([
    inactive(1),
    { id: 1, code: 0, text: "20" },
    { id: 3, code: 0, text: "25" },
  ]);
});

test("S05 data for a call that is done is refused", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Echo", bytes("done"))));
  expect(await peer.reply()).toMatchObject({ id: 1, code: 0 });
  await peer.send(frame(1, bytes("late"), { type: MESSAGE_DATA }));
  expect(await peer.reply()).toEqual(inactive(1));
  await expectAlive(peer);
});
