import { describe, expect, test } from "bun:test";
import { largeMappings, withoutPlaces } from "../../../src/kernel/heap.ts";

const MAPS = `
00200000-02000000 r--p 00000000 fe:00 1                          /usr/bin/kata-agent
10000000-18000000 rw-p 00000000 00:00 0
20000000-20100000 rw-p 00000000 00:00 0
30000000-38000000 ---p 00000000 00:00 0
40000000-48000000 rwxp 00000000 00:00 0
48000000-50000000 rw-p 00000000 00:00 0                          [anon:JSStructureHeap]
50000000-58000000 rw-p 00000000 00:00 0                          [heap]
60000000-68000000 rw-s 00000000 00:01 7                          /dev/zero (deleted)
7f0000000000-7f0040000000 rw-p 00000000 00:00 0
7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0                  [stack]
`;

const K = 1024;

describe("What is kept from children", () => {
  test("are the large writable mappings of no file, whatever the engine calls them", () => {
    expect(largeMappings(MAPS)).toEqual([
      { from: 0x1000_0000, to: 0x1800_0000 },
      { from: 0x4000_0000, to: 0x4800_0000 },
      { from: 0x4800_0000, to: 0x5000_0000 },
      { from: 0x7f00_0000_0000, to: 0x7f00_4000_0000 },
    ]);
  });

  const range = { from: 1024 * K, to: 4096 * K };

  test.each([
    ["outside of it", [100 * K, 8192 * K], [range]],
    [
      "in its middle",
      [2000 * K],
      [
        { from: 1024 * K, to: 1920 * K },
        { from: 2112 * K, to: 4096 * K },
      ],
    ],
    ["at its start", [1024 * K], [{ from: 1088 * K, to: 4096 * K }]],
    ["at its end", [4096 * K - 1], [{ from: 1024 * K, to: 3968 * K }]],
    [
      "close together",
      [2000 * K, 2001 * K],
      [
        { from: 1024 * K, to: 1920 * K },
        { from: 2112 * K, to: 4096 * K },
      ],
    ],
  ])("is a mapping without what is needed %s", (_, places, left) => {
    expect(withoutPlaces(range, places)).toEqual(left);
  });
});
