import { expect, test } from "bun:test";
import { controllersToEnable } from "../../../src/cgroup/v2.ts";

test.each([
  ["cpuset cpu io memory pids\n", "\n", ["+cpuset", "+cpu", "+io", "+memory", "+pids"]],
  ["cpu io memory\n", "memory cpu\n", ["+io"]],
  ["cpu memory\n", "cpu memory\n", []],
  ["\n", "\n", []],
  ["", "", []],
])(
  "of the controllers %j, with %j passed on already, %j is written",
  (available, enabled, written) => {
    expect(controllersToEnable(available, enabled)).toEqual(written);
  },
);
