import { expect, test } from "bun:test";
import type { Call } from "../../../src/linux/call.ts";
import {
  createReadOnlyDevice,
  loadReadOnlyTable,
  removeDevice,
} from "../../../src/linux/device-mapper.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

const HEADERS = ["string.h", "linux/dm-ioctl.h"];

function hexOf({ args }: Call): string {
  const bytes = args[2];
  if (!(bytes instanceof Uint8Array)) throw new TypeError("no bytes");
  return bytes.toHex();
}

const PRINT = `for (int i = 0; i < sizeof all; i++) printf("%02x", ((unsigned char *)&all)[i]);`;

testWithC("a command about a device is laid out as the kernel's header has it", () => {
  const program = `struct dm_ioctl all = { .version = { 4, 28, 0 }, .data_size = sizeof all,
    .data_start = sizeof all, .flags = DM_DEFERRED_REMOVE, .name = "a-device" }; ${PRINT}`;
  expect(linesOf(HEADERS, program)).toEqual([hexOf(removeDevice(3, "a-device"))]);
});

testWithC("a table stands behind the command, with the text of its target behind that", () => {
  const program = `struct { struct dm_ioctl head; struct dm_target_spec target; char text[16]; } all;
    memset(&all, 0, sizeof all);
    all.head = (struct dm_ioctl){ .version = { 4, 28, 0 }, .data_size = sizeof all,
      .data_start = sizeof all.head, .target_count = 1, .flags = DM_READONLY_FLAG, .name = "v" };
    all.target = (struct dm_target_spec){ .length = 592, .next = sizeof all.target + sizeof all.text,
      .target_type = "verity" };
    strcpy(all.text, "1 /dev/a 4096"); ${PRINT}`;
  const table = { length: 592, type: "verity", parameters: "1 /dev/a 4096" };
  expect(linesOf(HEADERS, program)).toEqual([hexOf(loadReadOnlyTable(3, "v", table))]);
});

test("a name that has no room is refused", () => {
  expect(() => createReadOnlyDevice(3, "x".repeat(127))).not.toThrow();
  expect(() => createReadOnlyDevice(3, "x".repeat(128))).toThrow("too long");
});
