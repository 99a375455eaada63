// The tables of docs/conformance.md, which tests are held against.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const DOCUMENT = join(import.meta.dir, "../../docs/conformance.md");

/** The rows below the heading `title`, a text a cell, without the table's head. */
export function tableOf(title: string): string[][] {
  const sections = readFileSync(DOCUMENT, "utf8").split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`docs/conformance.md has no section ${title}`);
  const [, , ...rows] = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map(textOf),
  );
}

function textOf(cell: string): string {
  return cell.replaceAll("\\|", "|").replaceAll("`", "").trim();
}
