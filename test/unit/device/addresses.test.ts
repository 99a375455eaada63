import { describe, expect, test } from "bun:test";
import { parseApQueue } from "../../../src/device/ap-queue.ts";
import { parseCcwId } from "../../../src/device/ccw-id.ts";
import { parseScsiAddress } from "../../../src/device/scsi-address.ts";
import { AgentError } from "../../../src/error.ts";

describe("an AP queue", () => {
  test.each([
    ["a.1", "0a.0001", "0a"],
    ["0a.0001", "0a.0001", "0a"],
    ["FF.ffff", "ff.ffff", "ff"],
    ["0.0", "00.0000", "00"],
  ])("%p is %p, of the adapter %p", (text, name, adapter) => {
    expect(parseApQueue(text)).toEqual({ name, adapter });
  });

  test.each([
    "",
    ".",
    "0.0.0",
    "0g.0000",
    "0a.10000",
    "100.0000",
    "0a",
    "0a.",
    ".1",
    "-1.0",
    "0a.1 ",
  ])("%p is none, and is named", (text) => {
    expect(() => parseApQueue(text)).toThrow(AgentError);
    expect(() => parseApQueue(text)).toThrow(JSON.stringify(text));
  });
});

describe("a CCW bus id", () => {
  test.each([
    ["0.0.0", "0.0.0000"],
    ["0.3.ffff", "0.3.ffff"],
    ["0.1.A", "0.1.000a"],
  ])("%p is %p", (text, id) => expect(parseCcwId(text)).toBe(id));

  test.each([
    "",
    "0.0",
    "1.0.0",
    "0.4.0",
    "0.a.0",
    "0.0.10000",
    "0.0.0.0",
    "0.0.",
    "0..0",
    "0.-1.0",
  ])("%p is none", (text) => expect(() => parseCcwId(text)).toThrow(AgentError));
});

describe("a SCSI address", () => {
  test.each([
    ["0:0", { id: 0, lun: 0 }],
    ["255:255", { id: 255, lun: 255 }],
    ["1:02", { id: 1, lun: 2 }],
  ])("%p is %p", (text, address) => expect(parseScsiAddress(text)).toEqual(address));

  test.each(["", ":", "0", "0:1:2", "256:0", "0:256", "a:0", "0:-", "- -", "0 0:1", "0:1\n"])(
    "%p is none: the kernel would scan for something else",
    (text) =>
      expect(() => parseScsiAddress(text)).toThrow(
        `Unexpected format for SCSI Address: ${JSON.stringify(text)}, expect SCSIID:LUA`,
      ),
  );
});
