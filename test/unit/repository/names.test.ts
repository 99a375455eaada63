import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { filesOf } from "./source.ts";

const files = [...filesOf("{src,test,proto,docs}/**"), ...filesOf("*.ts")];

describe("the names of files and folders", () => {
  test("say what is inside: a vague name takes in everything and rots", () => {
    const vague = /(^|\/)((\w+-)*(utils?|helpers?)|common|misc|shared)([./]|$)/;
    expect(files.filter((path) => vague.test(path))).toEqual([]);
  });

  test("are kebab-case, so that one spelling finds them", () => {
    const ours = files.filter((path) => path.endsWith(".ts") && !path.endsWith("_pb.ts"));
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.bench|\.d)?\.ts$/;
    expect(ours.length).toBeGreaterThan(100);
    expect(ours.filter((path) => !kebab.test(basename(path)))).toEqual([]);
  });

  test("go two levels deep in src: an area and its topics", () => {
    expect(filesOf("src/**").filter((path) => path.split("/").length > 3)).toEqual([]);
  });
});
