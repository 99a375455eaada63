import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../../../package.json" with { type: "json" };
import { ROOT, filesOf, textOf } from "./source.ts";

const readme = textOf("README.md");

/** Entries of the block that begins with a line `src/`, in its order. */
function map(): string[] {
  const [, block = ""] = /^```\w*\nsrc\/\n([\s\S]*?)^```/m.exec(readme) ?? [];
  return block.split("\n").flatMap((line) => /^ {2}([\w.-]+\/?)/.exec(line)?.[1] ?? []);
}

describe("the README", () => {
  test("maps src as it is: every folder, and every file at its top", () => {
    const entries = [...filesOf("src/**"), "src/gen/"]
      .map((path) => path.split("/"))
      .map(([, top = "", ...rest]) => (rest.length > 0 ? `${top}/` : top))
      .filter((entry) => !entry.endsWith(".d.ts"));
    expect(map().toSorted()).toEqual([...new Set(entries)].toSorted());
  });

  test("is one screen of text beside its tables, not a manual", () => {
    const text = readme.split("\n").filter((line) => !line.startsWith("|"));
    expect(text.length).toBeLessThanOrEqual(90);
  });

  test("names scripts that package.json has", () => {
    const named = [...readme.matchAll(/\bnpm (?:run )?(\w+)/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([]);
  });
});

describe("the documents", () => {
  test("link to files that are there", () => {
    const documents = [...filesOf("*.md"), ...filesOf("{docs,src,proto,test}/**/*.md")];
    const broken = documents.flatMap((path) =>
      [...textOf(path).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)]
        .map(([, target = ""]) => join(dirname(path), target))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
