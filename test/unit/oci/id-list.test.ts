import { describe, expect, test } from "bun:test";
import { idMask } from "../../../src/oci/id-list.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import { pick, seeded } from "../../support/random.ts";

const idsIn = (mask: Uint8Array) =>
  [...mask].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => 8 * at + bit),
  );

describe("a list of processors or nodes", () => {
  test.each<[string, number[]]>([
    ["0", [0]],
    ["0-3,6", [0, 1, 2, 3, 6]],
    ["63,64", [63, 64]],
    [" 1 , ,2-2,", [1, 2]],
    ["3,1,1-3", [1, 2, 3]],
    ["65536", [65_536]],
    ["", []],
    [",", []],
  ])("%p is the numbers %p", (list, ids) => {
    expect(idsIn(idMask("f", list))).toEqual(ids);
  });

  test.each(["a", "-1", "1-", "3-1", "1-2-3", "0x1", "1.5", "1 2", "1;2", "9999999", "\n1\0"])(
    "%p is refused by the name of the field",
    (list) => {
      expect(() => idMask("f", list)).toThrow(InvalidSpec);
      expect(() => idMask("f", list)).toThrow(/^f: /);
    },
  );

  test("ends where no kernel has more", () => {
    expect(() => idMask("f", "0-65537")).toThrow("f: 65537 is larger than 65536");
  });

  test("is no longer than the kernel's own", () => {
    expect(() => idMask("f", "0,".repeat(2048))).toThrow("f: 4096 characters, 4095 are the most");
  });

  test("is whole 64-bit words, no more than its largest number needs", () => {
    expect(idMask("f", "").length).toBe(0);
    expect(idMask("f", "63").length).toBe(8);
    expect(idMask("f", "64").length).toBe(16);
  });

  test("of any text is numbers or an error of ours", () => {
    const random = seeded(7);
    const letters = [..."0123456789,- x"];
    for (let round = 0; round < 2000; round++) {
      const length = Math.floor(random() * 12);
      const text = Array.from({ length }, () => pick(random, letters)).join("");
      try {
        expect(idMask("f", text).length % 8).toBe(0);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidSpec);
      }
    }
  });
});
