import { describe, expect, test } from "bun:test";
import {
  parsePciAddress,
  parsePciPath,
  parsePciPlace,
  tryPciAddress,
} from "../../../src/device/pci-address.ts";
import { AgentError } from "../../../src/error.ts";
import { randomText, seeded } from "../../support/random.ts";

describe("a PCI slot", () => {
  test.each([
    ["00.0", "00.0"],
    ["00", "00.0"],
    ["0", "00.0"],
    ["1f.7", "1f.7"],
    ["A.5", "0a.5"],
  ])("%p is %p", (text, slot) => expect(parsePciPath(text)).toEqual([slot]));

  test.each(["20", "20.0", "00.8", "xy", "", "00.0.0", "00/", ".", "0x1", "-1", "00.", " 1"])(
    "%p is none",
    (text) => expect(() => parsePciPath(text)).toThrow(AgentError),
  );
});

describe("a PCI address", () => {
  test.each([
    ["0000:00:1f.7", "0000:00:1f.7"],
    ["ffff:ff:1f.7", "ffff:ff:1f.7"],
    ["1:2:3", "0001:02:03.0"],
  ])("%p is %p", (text, address) => expect(parsePciAddress(text)).toBe(address));

  test.each([
    "",
    "10000:00:00.0",
    "0000:100:00.0",
    "0000:00:20.0",
    "0000:00:00.0:00",
    "00:00.0",
    "::",
    "0000:00:07.0:pcie001",
  ])("%p is none, and is named", (text) => {
    expect(() => parsePciAddress(text)).toThrow(`${JSON.stringify(text)} is no PCI address`);
    expect(tryPciAddress(text)).toBeUndefined();
  });
});

describe("a PCI path", () => {
  test.each([
    ["02/03", ["02.0", "03.0"]],
    ["03/04/05", ["03.0", "04.0", "05.0"]],
    ["0a.5/0b.6/0c.7", ["0a.5", "0b.6", "0c.7"]],
    ["07", ["07.0"]],
  ])("%p leads through %p", (text, slots) => {
    const path: readonly string[] = parsePciPath(text);
    expect(path).toEqual(slots);
  });

  test.each(["", "/", "//", "02/", "/02", "02//03", "02/20", "02/../03", "0".repeat(100_000)])(
    "%p leads nowhere",
    (text) => expect(() => parsePciPath(text)).toThrow(AgentError),
  );
});

describe("a PCI place", () => {
  test.each([
    ["20/00/02", "20", ["00.0", "02.0"]],
    ["fF/00/02/01", "ff", ["00.0", "02.0", "01.0"]],
    ["02", "00", ["02.0"]],
    ["02/01", "00", ["02.0", "01.0"]],
    ["02/00/01", "00", ["02.0", "00.0", "01.0"]],
  ])("%p begins at the root complex %p", (text, rootComplex, slots) => {
    const place = parsePciPlace(text);
    expect(place.rootComplex).toBe(rootComplex);
    expect([...place.path]).toEqual(slots);
  });

  test.each(["20/00", "20", "100/00/02", "20//02", "20/00/20"])("%p is none", (text) =>
    expect(() => parsePciPlace(text)).toThrow(AgentError),
  );

  test("of random text is one that sysfs can have, or none", () => {
    const random = seeded(41);
    for (let round = 0; round < 5000; round++) {
      const text = randomText(random, 12);
      try {
        const { rootComplex, path } = parsePciPlace(text);
        expect([rootComplex, ...path].join("/")).toMatch(/^[0-9a-f]{2}(\/[01][0-9a-f]\.[0-7])+$/);
      } catch (error) {
        expect(error).toBeInstanceOf(AgentError);
      }
    }
  });
});
