import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import {
  broadcastOf,
  formatIp,
  formatNetwork,
  hasHostBits,
  parseIp,
  parseNetwork,
  parsePrefixLength,
} from "../../../src/network/ip-address.ts";
import { formatMac, parseMac } from "../../../src/network/mac-address.ts";
import { pick, seeded } from "../../support/random.ts";

const hexOf = (text: string) => parseIp(text)?.bytes.toHex();

describe("An address", () => {
  test.each([
    ["0.0.0.0", "00000000"],
    ["192.168.1.255", "c0a801ff"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["fe80::1", `fe80${"0".repeat(27)}1`],
    ["2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::ffff:10.0.0.1", `${"0".repeat(20)}ffff0a000001`],
    ["1:2:3:4:5:6:10.0.0.1", "0001000200030004000500060a000001"],
  ])("%s is read", (text, hex) => {
    expect(hexOf(text)).toBe(hex);
  });

  test.each([
    "",
    "10.0.0",
    "10.0.0.256",
    "10.0.0.01",
    "10.0.0.1.2",
    " 10.0.0.1",
    "10.0.0.1 ",
    "0x0a.0.0.1",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    ":1:2:3:4:5:6:7",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "10.0.0.1::",
    "::10.0.0.1:1",
    "[::1]",
    "1".repeat(100_000),
    ":".repeat(100_000),
  ])("is not %p", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
    ["::FFFF:a00:1", "::ffff:10.0.0.1"],
  ])("%s is written %s", (text, written) => {
    const address = parseIp(text);
    expect(address && formatIp(address)).toBe(written);
  });

  test("of any kind is read as it was written, and any text is one exactly if it is one elsewhere", () => {
    const random = seeded(31);
    for (let round = 0; round < 5000; round++) {
      const length = round % 2 === 0 ? 4 : 16;
      const bytes = Uint8Array.from({ length }, () => (random() < 0.5 ? 0 : random() * 256));
      const text = formatIp({ family: length === 4 ? "v4" : "v6", bytes });
      expect(hexOf(text)).toBe(bytes.toHex());
    }
    const alphabet = [..."0123456789abcf::::...."];
    for (let round = 0; round < 20_000; round++) {
      const length = Math.floor(random() * 16);
      const text = Array.from({ length }, () => pick(random, alphabet)).join("");
      expect(`${text} ${parseIp(text) !== undefined}`).toBe(`${text} ${isIP(text) !== 0}`);
    }
  });
});

describe("A network", () => {
  test.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.0/255.0.0.0", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["0.0.0.0/0.0.0.0", "0.0.0.0/0"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["::/0", "::/0"],
    ["fd00::1", "fd00::1/128"],
  ])("%s is %s", (text, written) => {
    const network = parseNetwork(text);
    expect(network && formatNetwork(network)).toBe(written);
  });

  test.each(["", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8"])(
    "is not %p",
    (text) => expect(parseNetwork(text)).toBeUndefined(),
  );

  test.each(["10.0.0.0/255.0.255.0", "::/129", "fd00::/ffff::", "10.0.0.0/1e1", "10.0.0.0/+8"])(
    "is not %p either",
    (text) => expect(parseNetwork(text)).toBeUndefined(),
  );

  test.each([
    ["10.0.0.0/8", false, "10.255.255.255"],
    ["10.0.0.1/8", true, "10.255.255.255"],
    ["10.0.0.2/31", false, "10.0.0.3"],
    ["10.0.0.3/32", false, "10.0.0.3"],
    ["0.0.0.0/0", false, "255.255.255.255"],
    ["0.0.0.1/0", true, "255.255.255.255"],
    ["fd00::/63", false, "fd00::1:ffff:ffff:ffff:ffff"],
    ["fd00:0:0:1::/63", true, "fd00::1:ffff:ffff:ffff:ffff"],
  ])("%s: bits behind its prefix are set: %p, and its last address is %s", (text, set, last) => {
    const network = parseNetwork(text);
    if (network === undefined) throw new Error(text);
    expect(hasHostBits(network)).toBe(set);
    const { family } = network.address;
    expect(formatIp({ family, bytes: broadcastOf(network) })).toBe(last);
  });

  test("has a prefix in decimal, no longer than its address", () => {
    expect(
      ["0", "24", "32", "33", "", "0x8", "-1", "255.0.0.0", "1000"].map((text) =>
        parsePrefixLength(text, "v4"),
      ),
    ).toEqual([0, 24, 32, ...Array(6).fill(undefined)]);
    expect(parsePrefixLength("128", "v6")).toBe(128);
  });
});

describe("A hardware address", () => {
  test("has six bytes of one digit or two, and is written in capitals", () => {
    expect(parseMac("02:00:0A:b:c:ff")?.toHex()).toBe("02000a0b0cff");
    expect(formatMac(Uint8Array.fromHex("02000a0b0cff"))).toBe("02:00:0A:0B:0C:FF");
  });

  test("of another length is written as nothing", () => {
    expect(formatMac(new Uint8Array(0))).toBe("");
    expect(formatMac(new Uint8Array(20))).toBe("");
  });

  test.each(["", "02:00:00:00:00", "02:00:00:00:00:00:00", "02-00-00-00-00-00", "2:0:0:0:0:100"])(
    "is not %p",
    (text) => expect(parseMac(text)).toBeUndefined(),
  );

  test.each(["02:00:00:00:00:", "02:00:00:00:00:0x", " 02:00:00:00:00:00", ":".repeat(9999)])(
    "is not %p either",
    (text) => expect(parseMac(text)).toBeUndefined(),
  );
});
