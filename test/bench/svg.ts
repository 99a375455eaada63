// The distributions as a picture: the agent above the line, its peer below, on one logarithmic scale.
import { amount } from "./table.ts";
import { type Measured, type Row, verdictOf } from "./row.ts";
import { quantile } from "./sample.ts";

const WIDTH = 960;
const LEFT = 320;
const RIGHT = 30;
const PANEL = 92;
const HEIGHT = 30;
const BINS = 120;
/** Of the smoothing kernel, in bins. */
const SIGMA = 1.6;

const LEGEND =
  "one line a benchmark: runs of the agent above it, of its peer below; logarithmic; the numbers are medians";

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2937; }
  .what { font-weight: 600; }
  .small { font-size: 11px; fill: #6b7280; }
  .ours { fill: #2563eb; }
  .peer { fill: #9ca3af; }
  .line { stroke: #d1d5db; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e5e7eb; } .small { fill: #9ca3af; } .ours { fill: #60a5fa; }
    .peer { fill: #6b7280; } .line { stroke: #4b5563; }
  }`;

export function drawing(rows: readonly Row[]): string {
  const drawn = rows.filter(isDrawn);
  const height = drawn.length * PANEL + 30;
  const panels = drawn.map((row, i) => panel(row, i * PANEL + 10));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>kata-agent beside its peers: distributions of many runs</title>`,
    `<style>${STYLE}\n</style>`,
    ...panels,
    text(WIDTH - RIGHT, height - 8, LEGEND, "small", "end"),
    "</svg>\n",
  ].join("\n");
}

type Drawn = Measured & { readonly peer: NonNullable<Measured["peer"]> };

function isDrawn(row: Row): row is Drawn {
  return !("absent" in row) && row.peer !== undefined && row.ours.length > 1;
}

function panel(row: Drawn, top: number): string {
  const scale = scaleOf(row);
  const middle = top + PANEL / 2 - 6;
  const { ratio = Number.NaN } = verdictOf(row);
  return [
    text(LEFT - 16, middle - 10, row.what, "what", "end"),
    text(LEFT - 16, middle + 6, `${amount(ratio)} × ${row.peer.name}`, "small", "end"),
    `<line class="line" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${middle}" y2="${middle}"/>`,
    ridge(row.ours, scale, middle, -1, "ours"),
    ridge(row.peer.samples, scale, middle, 1, "peer"),
    median("kata-agent", row.ours, row, scale, middle - HEIGHT - 4),
    median(row.peer.name, row.peer.samples, row, scale, middle + HEIGHT + 13),
  ].join("\n");
}

/** From a value to its place, 0 to 1. What lies beyond the percentiles is left out. */
type Scale = (value: number) => number;

function scaleOf({ ours, peer }: Drawn): Scale {
  const ends = [ours, peer.samples].flatMap((each) => [
    quantile(each, 0.005),
    quantile(each, 0.99),
  ]);
  const low = Math.log(Math.min(...ends)) - 0.05;
  const high = Math.log(Math.max(...ends)) + 0.05;
  return (value) => (Math.log(value) - low) / (high - low);
}

/** How often the values fall near each place, the highest place being 1. */
function density(samples: readonly number[], scale: Scale): number[] {
  const counts = Array.from({ length: BINS }, () => 0);
  for (const sample of samples) {
    const bin = Math.floor(scale(sample) * BINS);
    if (bin >= 0 && bin < BINS) counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const smooth = counts.map((_, at) =>
    counts.reduce(
      (sum, count, i) => sum + count * Math.exp(-((i - at) ** 2) / (2 * SIGMA ** 2)),
      0,
    ),
  );
  const most = Math.max(...smooth);
  return smooth.map((value) => value / most);
}

function ridge(
  samples: readonly number[],
  scale: Scale,
  middle: number,
  direction: 1 | -1,
  kind: string,
): string {
  const points = density(samples, scale).map((value, bin) => {
    const y = middle + direction * value * HEIGHT;
    return `${place((bin + 0.5) / BINS)},${y.toFixed(1)}`;
  });
  const [from, to] = [`${place(0)},${middle}`, `${place(1)},${middle}`];
  return `<path class="${kind}" d="M${[from, ...points, to].join(" L")} Z"/>`;
}

function median(
  name: string,
  samples: readonly number[],
  { unit }: Drawn,
  scale: Scale,
  y: number,
): string {
  const value = quantile(samples, 0.5);
  const at = scale(value);
  // Near an edge the words would leave the picture.
  const anchor = at < 0.2 ? "start" : at > 0.8 ? "end" : "middle";
  return text(Number(place(at)), y, `${name} ${amount(value)} ${unit}`, "small", anchor);
}

function place(at: number): string {
  return (LEFT + at * (WIDTH - LEFT - RIGHT)).toFixed(1);
}

function text(x: number, y: number, words: string, kind: string, anchor: string): string {
  return `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
}
