// The repository as the tests of its rules see it: files, their code without comments and strings,
// and who imports whom.
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const ROOT = join(import.meta.dir, "../../..");

/** Paths from the root, in order. Generated and downloaded files are left out. */
export function filesOf(pattern: string): string[] {
  const all = new Bun.Glob(pattern).scanSync({ cwd: ROOT, dot: true });
  return [...all]
    .filter((path) => !/^(node_modules|dist|\.git|src\/gen)(\/|$)/.test(path))
    .toSorted();
}

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

const NEWLINES = /[^\n]/g;

/**
 * Comments, strings, templates and regular expressions, in the order in which one of them can hide
 * another. A slash begins a regular expression only where a value may begin.
 */
const NOT_CODE =
  /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:^|[(,=:[!&|?{};>]|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/gm;

/** Only the code: all that says nothing to the compiler becomes blanks, so that lines stay lines. */
export function codeOf(text: string): string {
  return text.replace(NOT_CODE, (match) => {
    const blank = match.replace(NEWLINES, " ");
    return match.startsWith("`") ? keepExpressions(match, blank) : blank;
  });
}

/** What stands in `${}` of a template is code. */
function keepExpressions(template: string, blank: string): string {
  let result = blank;
  for (const { index, 0: expression } of template.matchAll(/\$\{[^{}]*\}/g)) {
    result = result.slice(0, index) + expression + result.slice(index + expression.length);
  }
  return result;
}

export type Import = {
  readonly from: string;
  /** A path from the root for a file of ours, else as it is written. */
  readonly to: string;
  readonly typeOnly: boolean;
  /** By a call, so when that is made. */
  readonly later?: true;
};

const IMPORT =
  /^(?:import|export)\s+(type\s)?[^;"'()]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;

export function importsOf(path: string, text = textOf(path)): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, named, bare, dynamic]) => {
    const to = named ?? bare ?? dynamic ?? "";
    return {
      from: path,
      to: to.startsWith(".") ? normalize(join(dirname(path), to)) : to,
      typeOnly: type !== undefined,
      ...(dynamic === undefined ? {} : { later: true }),
    };
  });
}

/** Every file of src, with the code of each; read once. */
export const sources: ReadonlyMap<string, { readonly text: string; readonly code: string }> =
  new Map(
    filesOf("src/**/*.ts").map((path) => {
      const text = textOf(path);
      return [path, { text, code: codeOf(text) }];
    }),
  );

export const imports: readonly Import[] = [...sources].flatMap(([path, { text }]) =>
  importsOf(path, text),
);

/** `path:line: what` for each match in the code, or the text, of src. */
export function findIn(
  where: "code" | "text",
  pattern: RegExp,
  isExempt: (path: string) => boolean = () => false,
): string[] {
  return [...sources].flatMap(([path, source]) =>
    isExempt(path) ? [] : matches(path, source[where], pattern),
  );
}

export function matches(path: string, text: string, pattern: RegExp): string[] {
  return text.split("\n").flatMap((line, index) => {
    const found = pattern.exec(line);
    return found === null ? [] : [`${path}:${index + 1}: ${found[0].trim()}`];
  });
}
