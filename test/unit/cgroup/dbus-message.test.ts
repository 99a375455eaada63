import { describe, expect, test } from "bun:test";
import { type MethodCall, decodeMessage, encodeCall } from "../../../src/cgroup/dbus-message.ts";
import { seeded } from "../../support/random.ts";

const STOP: MethodCall = {
  destination: "d.e",
  path: "/p",
  interface: "i.f",
  member: "M",
  arguments: [
    { type: "s", value: "ab" },
    { type: "a(sv)", value: [["K", { type: "b", value: true }]] },
  ],
};

/** By hand from the specification: type of the message, then each field at a multiple of 8. */
const STOP_BYTES = `
  6c 01 00 01  20 00 00 00  05 00 00 00   4c 00 00 00
  01 01 6f 00  02 00 00 00  2f 70 00 00   00 00 00 00
  02 01 73 00  03 00 00 00  69 2e 66 00   00 00 00 00
  03 01 73 00  01 00 00 00  4d 00 00 00   00 00 00 00
  06 01 73 00  03 00 00 00  64 2e 65 00   00 00 00 00
  08 01 67 00  06 73 61 28  73 76 29 00   00 00 00 00
`;

/** What a manager says when a job has ended: `uoss`. */
const REMOVED = bytesOf(`
  6c 04 01 01  1b 00 00 00  07 00 00 00   30 00 00 00
  03 01 73 00  0a 00 00 00  4a 6f 62 52   65 6d 6f 76 65 64 00 00  00 00 00 00
  08 01 67 00  04 75 6f 73  73 00 00 00   00 00 00 00
  05 01 75 00  09 00 00 00
  2a 00 00 00  02 00 00 00  2f 6a 00 00   01 00 00 00  75 00 00 00  02 00 00 00 6f 6b 00
`);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
}

describe("A call", () => {
  test("has its header as the specification lays it out", () => {
    const header = encodeCall(5, STOP).slice(0, 96);
    expect(header.toHex()).toBe(bytesOf(STOP_BYTES).toHex());
  });

  test("has its body aligned, with lengths that do not count the padding", () => {
    const body = encodeCall(5, STOP).slice(96);
    const expected = `
      02 00 00 00  61 62 00 00   10 00 00 00  00 00 00 00
      01 00 00 00  4b 00 01 62   00 00 00 00  01 00 00 00
    `;
    expect(body.toHex()).toBe(bytesOf(expected).toHex());
  });
});

describe("A message", () => {
  test("gives its kind, its fields and its values", () => {
    expect(decodeMessage(REMOVED)).toEqual({
      message: {
        kind: "signal",
        replySerial: 9,
        member: "JobRemoved",
        errorName: "",
        body: [42, "/j", "u", "ok"],
      },
      length: REMOVED.length,
    });
  });

  test("is none until all of it has come", () => {
    for (let length = 0; length < REMOVED.length; length++)
      expect(decodeMessage(REMOVED.subarray(0, length))).toBeUndefined();
  });

  test.each([
    ["another byte order", 0, 0x42],
    ["another version", 3, 2],
    ["a body without end", 7, 0x7f],
    ["a header without end", 15, 0x7f],
  ])("with %s is refused", (_, at, value) => {
    const bytes = REMOVED.slice();
    bytes[at] = value;
    expect(() => decodeMessage(bytes)).toThrow("malformed D-Bus message");
  });

  test("of any bytes is understood or refused, and read no further than it goes", () => {
    const random = seeded(11);
    for (let round = 0; round < 20_000; round++) {
      const bytes = REMOVED.slice();
      for (let change = 0; change <= round % 4; change++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        expect(decodeMessage(bytes)?.length ?? 0).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(String(error)).toMatch(/malformed D-Bus message/);
      }
    }
  });
});
