import { describe, expect, test } from "bun:test";
import { verityName, verityOf, verityTarget } from "../../../src/storage/verity.ts";

const ROOT = "ab".repeat(32);
const given = (...more: string[]) => [
  `X-kata.dmverity.roothash=${ROOT}`,
  "X-kata.dmverity.hashoffset=303104",
  ...more.map((each) => `X-kata.dmverity.${each}`),
];

describe("what a host says of dm-verity", () => {
  test("comes to the table that veritysetup(8) makes of 74 blocks", () => {
    const target = verityTarget("/dev/vda1", verityOf(given("salt=00ff")));
    const parameters = `1 /dev/vda1 /dev/vda1 4096 4096 74 75 sha256 ${ROOT} 00ff`;
    expect(target).toEqual({ length: 592, type: "verity", parameters });
  });

  test("has the hashes begin at their offset where no superblock is before them", () => {
    const { parameters } = verityTarget("/dev/a1", verityOf(given("no-superblock=true")));
    expect(parameters).toBe(`1 /dev/a1 /dev/a1 4096 4096 74 74 sha256 ${ROOT} -`);
  });

  test("gives one name to one set of data", () => {
    const name = verityName("/dev/vda1", verityOf(given()));
    expect(name).toBe(`kata-verity-vda1-off303104-${ROOT.slice(0, 32)}`);
  });

  test.each([
    ["roothash", "X-kata.dmverity.roothash=xyz"],
    ["roothash", "X-kata.dmverity.roothash="],
    ["hashoffset", "X-kata.dmverity.hashoffset=0"],
    ["hashoffset", "X-kata.dmverity.hashoffset=303105"],
    ["hashoffset", "X-kata.dmverity.hashoffset=-4096"],
    ["blocksize", "X-kata.dmverity.blocksize=0"],
    ["blocksize", "X-kata.dmverity.blocksize=5000"],
    ["hashsize", "X-kata.dmverity.hashsize=1e9"],
    ["algorithm", "X-kata.dmverity.algorithm=sha256 1"],
    ["salt", "X-kata.dmverity.salt=- 1 panic_on_corruption"],
    ["hashtype", "X-kata.dmverity.hashtype=2"],
    ["no-superblock", "X-kata.dmverity.no-superblock=maybe"],
  ])("is refused by the name of %s for %s", (key, option) => {
    expect(() => verityOf([...given(), option])).toThrow(`X-kata.dmverity.${key}: `);
  });

  test("is refused where there is no hash to check against", () => {
    expect(() => verityOf([])).toThrow("X-kata.dmverity.");
  });
});
