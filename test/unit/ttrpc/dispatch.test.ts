import { expect, test } from "bun:test";
import { Code } from "../../../src/ttrpc/code.ts";
import { EchoFixture, expectAlive } from "../../support/echo-fixture.ts";
import { bytes, OTHER } from "../../support/echo-service.ts";
import { frame, request, wire } from "../../support/raw-peer.ts";
import { golden } from "./golden.ts";

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text.replaceAll(" ", ""));
const to = (service: string, method: string): Uint8Array =>
  request(method, bytes("x"), { service });

test.each([
  [
    "E01 an unknown service",
    to("x.Y", "Echo"),
    Code.INVALID_ARGUMENT,
    "x.Y service does not exist",
  ],
  ["E02 an unknown method", request("Nope"), Code.UNIMPLEMENTED, "Nope method"],
  ["E03 no service and no method", to("", ""), Code.INVALID_ARGUMENT, " service does not exist"],
  [
    "E04 a leading slash",
    to("/test.Echo", "Echo"),
    Code.INVALID_ARGUMENT,
    "/test.Echo service does not exist",
  ],
  ["E05 a method in the wrong case", request("echo"), Code.UNIMPLEMENTED, "echo method"],
  [
    "a name from Object.prototype",
    request("constructor"),
    Code.UNIMPLEMENTED,
    "constructor method",
  ],
  ["E06 a request cut short", hex("0a 09 746573"), Code.INVALID_ARGUMENT, "unexpected end"],
  ["E07 wire type 7", hex("0f"), Code.INVALID_ARGUMENT, "wire type 7"],
  ["E08 a service not in UTF-8", hex("0a 01 ff"), Code.INVALID_ARGUMENT, "text that is not UTF-8"],
  ["E09 a payload cut short", request("Decode", hex("0a 05 61")), Code.UNKNOWN, "unexpected end"],
  ["E11 a plain error", request("Err", bytes("plain failure")), Code.UNKNOWN, "plain failure"],
  ["E12 a status", request("Status", bytes("5 x")), Code.NOT_FOUND, "x"],
  ["E13 a rejection", request("Err", bytes("")), Code.UNKNOWN, ""],
  [
    "E14 a throw before the first await",
    request("Throw", bytes("at once")),
    Code.UNKNOWN,
    "at once",
  ],
  ["E14 a throw of what is no error", request("ThrowOddity"), Code.UNKNOWN, "threw object"],
  [
    "E16 a text of several lines and scripts",
    request("Status", bytes("13 outer\n\nCaused by:\n    größer ➜ 🦀")),
    Code.INTERNAL,
    "outer\n\nCaused by:\n    größer ➜ 🦀",
  ],
])(
  "%s is refused with a code and a text, and the connection lives",
  async (_, body, code, text) => {
    using fixture = new EchoFixture();
    const peer = await fixture.raw();
    await peer.send(frame(1, body));
    expect(await peer.reply()).toEqual({ id: 1, code, text });
    await expectAlive(peer);
    expect(peer.unread).toBe(0);
  },
);

test.each([
  ["E01", "unknown service", to("x.Y", "Echo")],
  ["E02", "unknown method", request("Nope")],
  ["E15", "reply empty, Rust", request("Empty")],
])("%s the golden %s is what is sent", async (_, name, body) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, body));
  expect(wire(await peer.next())).toEqual(golden(name));
});

test("E09 a method whose payload does not decode does nothing", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Decode", hex("0a 05 61"))));
  expect(await peer.reply()).toMatchObject({ code: Code.UNKNOWN });
  expect(fixture.service.appended).toBeEmpty();
});

test("E10 a request without a payload gives the method an empty one", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Decode")));
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "" });
  expect(fixture.service.appended).toEqual([""]);
});

test("E11 what a method throws is reported unless it is a status", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const calls = ["Err", "Throw", "Status"].map((method) => request(method, bytes("5 x")));
  for (const [index, body] of calls.entries()) await peer.send(frame(2 * index + 1, body));
  await peer.replies(3);
  expect(fixture.faults).toEqual([new Error("5 x"), new Error("5 x")]);
});

test("E17 a text of 100 KiB is delivered", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  const text = "long ".repeat(20_480);
  await peer.send(frame(1, request("Status", bytes(`13 ${text}`))));
  expect(await peer.reply()).toEqual({ id: 1, code: Code.INTERNAL, text });
});

test.each([1, 2, 4, 0xff])("E18 flags %d on a call change nothing", async (flags) => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, request("Echo", bytes("flagged")), { flags }));
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "flagged" });
});

test("E20 a method name that two services share goes to the one asked for", async () => {
  using fixture = new EchoFixture();
  const peer = await fixture.raw();
  await peer.send(frame(1, to(OTHER, "Echo")));
  expect(await peer.reply()).toEqual({ id: 1, code: 0, text: "other x" });
});
