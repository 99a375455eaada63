// docs/conformance.md against the tests that it names.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { tableOf } from "../../support/conformance.ts";
import { ROOT, filesOf, textOf } from "./source.ts";
import { WORDS } from "./spec-words.ts";

const DEFECTS = Array.from({ length: 40 }, (_, index) => `D${index + 1}`);

/** Those that users.md section 5 lists. */
const ATTACKS = [
  "CVE-2016-9962",
  "CVE-2019-5736",
  "CVE-2019-16884",
  "CVE-2019-19921",
  "CVE-2020-2023",
  "CVE-2020-2024",
  "CVE-2020-2025",
  "CVE-2020-2026",
  "CVE-2020-27151",
  "CVE-2020-28914",
  "CVE-2021-30465",
  "CVE-2022-29162",
  "CVE-2023-27561",
  "CVE-2023-28642",
  "CVE-2024-21626",
  "CVE-2024-45310",
  "CVE-2025-31133",
  "CVE-2025-52565",
  "CVE-2025-52881",
  "CVE-2026-41326",
];

const LITERAL = /"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;

/** The texts in the code of each test, titles among them. */
const literals: ReadonlyMap<string, readonly string[]> = new Map(
  filesOf("test/**/*.ts").map((path) => {
    const code = textOf(path).replaceAll(/^\s*\/\/.*$/gm, "");
    return [path, [...code.matchAll(LITERAL)].map(([literal]) => literal.slice(1, -1))];
  }),
);

/** A text of `file`, or of what it imports from test/support, that is a title for `words`. */
function isTitledIn(file: string, isTitle: (text: string) => boolean): boolean {
  const path = `test/${file}`;
  if (!existsSync(join(ROOT, path))) return false;
  const shared = [...textOf(path).matchAll(/from "[./]+\/support\/([\w-]+\.ts)"/g)];
  return [path, ...shared.map(([, name = ""]) => `test/support/${name}`)].some((each) =>
    literals.get(each)?.some(isTitle),
  );
}

/** Rows whose file has no title with the number of their first cell. */
function untitled(rows: readonly string[][]): string[] {
  return rows
    .filter(([number = "", , file = ""]) => {
      const numbered = new RegExp(`(^|[ (])${number}([:),]|$)`);
      return !isTitledIn(file, (text) => numbered.test(text));
    })
    .map(([number = "", , file = ""]) => `${number}: ${file}`);
}

describe("docs/conformance.md", () => {
  test("has every word of a spec, and for each a test or why there is none", () => {
    const rows = tableOf("The words of a spec");
    expect(rows.map(([word]) => word)).toEqual([...WORDS]);
    const wrong = rows.filter(([, state = "", named = ""]) => {
      const [file = "", ...title] = named.split(": ");
      if (named === "") return !/^(ignored|left out|no word)/.test(state);
      if (title.length === 0) return !existsSync(join(ROOT, "test", file));
      return !isTitledIn(file, (text) => text.startsWith(title.join(": ")));
    });
    expect(wrong).toEqual([]);
  });

  test("has every defect of Kata's own agent, and for each a test with its number", () => {
    const rows = tableOf("Defects of Kata's own agent");
    expect(rows.map(([number]) => number)).toEqual(DEFECTS);
    expect(untitled(rows)).toEqual([]);
  });

  test("has every attack, and for each a test with its number", () => {
    const rows = tableOf("Attacks");
    expect(rows.map(([number]) => number)).toEqual(ATTACKS);
    expect(untitled(rows)).toEqual([]);
  });
});
