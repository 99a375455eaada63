import { expect, test } from "bun:test";
import { resolvConfText } from "../../../src/network/resolv-conf.ts";

test("the lines are trimmed, and none is behind the last", () => {
  expect(resolvConfText([" nameserver 192.0.2.1\t", "search a b"])).toBe(
    "nameserver 192.0.2.1\nsearch a b",
  );
  expect(resolvConfText([])).toBe("");
});

test("NUL and more than 64 KiB are refused", () => {
  expect(() => resolvConfText(["a\0"])).toThrow("dns contains NUL");
  expect(() => resolvConfText(["ä".repeat(40_000)])).toThrow("dns: 80000 are more than 65536");
});
