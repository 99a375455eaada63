// What the compiler and the linter let pass and this repository does not.
import { describe, expect, test } from "bun:test";
import { filesOf, findIn, matches, sources, textOf } from "./source.ts";

const LONGEST_FILE = 300;

describe("the code of src", () => {
  test(`has no file of more than ${LONGEST_FILE} lines: past that there is a seam to find`, () => {
    const long = [...sources]
      .map(([path, { text }]) => [path, text.split("\n").length - 1] as const)
      .filter(([, lines]) => lines > LONGEST_FILE);
    expect(long).toEqual([]);
  });

  test("never says any: it turns the checker off where it is needed", () => {
    expect(findIn("code", /(?<![.\w])any\b(?!:)/)).toEqual([]);
  });

  test("never says that a value is there with `!`: the checker knows better", () => {
    expect(findIn("code", /[\w)\]]!(?![=\w])/)).toEqual([]);
  });

  test("silences neither the checker nor the linter", () => {
    const silencer = /@ts-(ignore|expect-error|nocheck)|(ox|es)lint-disable/;
    expect(findIn("text", silencer)).toEqual([]);
  });

  test("swallows no error without a word", () => {
    expect(findIn("code", /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/)).toEqual([]);
  });

  test("has named exports only, so that a thing has one name", () => {
    expect(findIn("code", /^export default\b/)).toEqual([]);
  });

  test("writes import paths with their extension", () => {
    const bare = /\bfrom "\.[^"]*(?<!\.ts|\.c|\.json)"/;
    expect(findIn("text", bare)).toEqual([]);
  });
});

describe("all that is kept in the repository", () => {
  const texts = filesOf("**").filter((path) => !/\.(png|svg|woff2)$|^package-lock/.test(path));

  test("has nothing marked as unfinished: what is missing is an issue or an error", () => {
    // Written so that they do not find themselves.
    const marks = /\b(TO[D]O|FIX[M]E|X[X]X)\b/;
    expect(texts.flatMap((path) => matches(path, textOf(path), marks))).toEqual([]);
  });

  test("names no path of one machine: it must work on any", () => {
    const home = /(?<![\w.$}~-])\/(home|Users)\/(?!user\b)\w+|(?<![\w.$}~/-])\/(root|work)\/\w/;
    expect(texts.flatMap((path) => matches(path, textOf(path), home))).toEqual([]);
  });
});
