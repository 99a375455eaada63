// The rows as text: one line each, notes below.
import { type Measured, type Row, budgetText, verdictOf } from "./row.ts";

const COLUMNS = [
  "what",
  "unit",
  "ours",
  "p99",
  "peer",
  "peer p99",
  "ratio",
  "budget",
  "met",
  "beside",
];

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    "absent" in row ? [row.what, ...Array.from({ length: 8 }, () => ""), row.absent] : line(row),
  );
  const widths = COLUMNS.map((name, i) =>
    Math.max(...[name, ...lines.map((each) => each[i] ?? "")].map((cell) => cell.length)),
  );
  const text = [COLUMNS, widths.map((width) => "-".repeat(width)), ...lines].map((cells) =>
    cells.map((cell, i) => pad(cell, widths[i] ?? 0, i)).join(" | "),
  );
  const notes = rows.flatMap((row) =>
    "note" in row && row.note !== undefined ? [`${row.what}: ${row.note}`] : [],
  );
  return [...text.map((each) => `| ${each} |`), "", ...notes].join("\n");
}

function line(row: Measured): string[] {
  const { median, p99, peerMedian, peerP99, ratio, isMet } = verdictOf(row);
  const isRepeated = row.ours.length > 1;
  return [
    row.what,
    row.unit,
    amount(median),
    isRepeated ? amount(p99) : "",
    peerMedian === undefined ? "" : amount(peerMedian),
    peerP99 === undefined || !isRepeated ? "" : amount(peerP99),
    ratio === undefined ? "" : ratio.toFixed(3),
    budgetText(row),
    isMet === undefined ? "" : isMet ? "yes" : "NO",
    row.peer?.name ?? "",
  ];
}

/** Three significant digits, or all before the point. */
export function amount(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Words to the left, numbers to the right. */
function pad(cell: string, width: number, column: number): string {
  return column >= 2 && column <= 6 ? cell.padStart(width) : cell.padEnd(width);
}
