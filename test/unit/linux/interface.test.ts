import { expect, test } from "bun:test";
import { flagsIn, interfaceRequest } from "../../../src/linux/interface.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

testWithC("a request about an interface is laid out as the C library's", () => {
  const request = interfaceRequest("lo", 0x0102);
  const print = [
    `struct ifreq request = { .ifr_name = "lo", .ifr_flags = 0x0102 };`,
    `for (int i = 0; i < sizeof request; i++) printf("%02x", ((unsigned char *)&request)[i]);`,
  ].join("\n");
  expect(linesOf(["net/if.h"], print)).toEqual([request.toHex()]);
});

test("the flags in an answer are read where they were written", () => {
  expect(flagsIn(interfaceRequest("eth0", 0x1043))).toBe(0x1043);
});

test("a name that is too long does not reach the flags", () => {
  expect(flagsIn(interfaceRequest("x".repeat(40), 1))).toBe(1);
});
