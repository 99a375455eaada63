import { describe, expect, test } from "bun:test";
import { codeOf, filesOf, importsOf, sources } from "./source.ts";

describe("the reader of sources", () => {
  test("finds the files of every folder and leaves generated ones out", () => {
    expect(sources.has("src/linux/table.ts")).toBe(true);
    expect(sources.has("src/rpc/index.ts")).toBe(true);
    expect(filesOf("src/gen/*.ts")).toEqual([]);
  });

  test("sees each form of an import and whether it is of types only", () => {
    const text = [
      `import { a } from "./a.ts";`,
      `import type { B } from "../oci/b.ts";`,
      `import {\n  c,\n  d,\n} from "node:fs";`,
      `import "./bare.ts";`,
      `export { e } from "./e.ts";`,
      `import source from "./player.c" with { type: "text" };`,
      `const later = await import("./later.ts");`,
      `export const from = "./nothing.ts";`,
    ].join("\n");
    expect(importsOf("src/tape/x.ts", text)).toEqual([
      { from: "src/tape/x.ts", to: "src/tape/a.ts", typeOnly: false },
      { from: "src/tape/x.ts", to: "src/oci/b.ts", typeOnly: true },
      { from: "src/tape/x.ts", to: "node:fs", typeOnly: false },
      { from: "src/tape/x.ts", to: "src/tape/bare.ts", typeOnly: false },
      { from: "src/tape/x.ts", to: "src/tape/e.ts", typeOnly: false },
      { from: "src/tape/x.ts", to: "src/tape/player.c", typeOnly: false },
      { from: "src/tape/x.ts", to: "src/tape/later.ts", typeOnly: false, later: true },
    ]);
  });

  test("takes comments, strings and regular expressions out of code and keeps its lines", () => {
    const text = [
      `const url = "https://any"; // any`,
      `/* any`,
      `any */ const half = total / 2 / any;`,
      "const text = `any ${inside} any`;",
      `const found = /any"['/]/.test(line);`,
    ].join("\n");
    const lines = codeOf(text)
      .split("\n")
      .map((line) => line.replace(/ +/g, " ").trim());
    expect(lines).toEqual([
      "const url = ;",
      "",
      "const half = total / 2 / any;",
      "const text = ${inside} ;",
      "const found = .test(line);",
    ]);
  });
});
