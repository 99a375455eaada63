import { expect, test } from "bun:test";
import { agingCommand, evictionCommand, parseLruGen } from "../../../src/linux/lru-gen.ts";

const TEXT = `memcg     1 /
 node     0
          1      75000        100         -3 
          2      60000         20         40 
          3      59000          5          6 
memcg    34 /kubepods/pod 1
 node     0
          0        900          0          0 
          3        100         10         20 
 node     1
          7         12          1          2 
`;

test("generations are those of each cgroup on each node", () => {
  expect(parseLruGen(TEXT)).toEqual([
    { memcg: 1, path: "/", node: 0, minSeq: 1, maxSeq: 3, ageMs: 59_000, anon: 100, file: 0 },
    {
      memcg: 34,
      path: "/kubepods/pod 1",
      node: 0,
      minSeq: 0,
      maxSeq: 3,
      ageMs: 100,
      anon: 0,
      file: 0,
    },
    {
      memcg: 34,
      path: "/kubepods/pod 1",
      node: 1,
      minSeq: 7,
      maxSeq: 7,
      ageMs: 12,
      anon: 1,
      file: 2,
    },
  ]);
});

test("commands name the generation that the kernel is to begin after, or to empty", () => {
  const [first] = parseLruGen(TEXT);
  if (first === undefined) throw new Error("no generation");
  expect(agingCommand(first, true)).toBe("+ 1 0 3 1 1");
  expect(agingCommand(first, false)).toBe("+ 1 0 3 0 1");
  expect(evictionCommand(first, 40)).toBe("- 1 0 1 40 1");
});

test("what is something else has no generations", () => {
  expect(parseLruGen("")).toEqual([]);
  expect(parseLruGen(" node 0\n 1 2 3 4\nmemcg x /\n\n9 9 9 9\nmemcg 1 /\n 1 2 3 4\n")).toEqual([]);
});
