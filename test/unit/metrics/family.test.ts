import { describe, expect, test } from "bun:test";
import { type Family, exposition, gauge, items } from "../../../src/metrics/family.ts";
import { Histogram } from "../../../src/metrics/histogram.ts";
import { noPrometheus, readMetrics } from "../../support/prometheus.ts";

describe("families as text", () => {
  test("come in the order of their names, those without samples left out", () => {
    const families = [
      gauge("b", "Second.", 1.5),
      items("a", "First.", [[{ disk: "vda" }, { reads: 12, writes: 0 }]]),
      items("nothing", "Left out.", []),
    ];
    expect(exposition(families)).toBe(
      `# HELP a First.
# TYPE a gauge
a{disk="vda",item="reads"} 12
a{disk="vda",item="writes"} 0
# HELP b Second.
# TYPE b gauge
b 1.5
`,
    );
  });

  test("have quotes, backslashes and newlines of labels escaped", () => {
    const family = items("a", "First.", [[{ mount: 'x"y\\z\nw' }, { n: 1 }]]);
    expect(exposition([family])).toContain('a{mount="x\\"y\\\\z\\nw",item="n"} 1\n');
  });

  test("write numbers as Prometheus does", () => {
    const infinite: Family = gauge("a", "A.", Number.POSITIVE_INFINITY);
    expect(exposition([infinite])).toEndWith("a +Inf\n");
    expect(exposition([gauge("a", "A.", Number.NEGATIVE_INFINITY)])).toEndWith("a -Inf\n");
    expect(exposition([gauge("a", "A.", Number.NaN)])).toEndWith("a NaN\n");
    expect(exposition([gauge("a", "A.", 2 ** 53)])).toEndWith("a 9007199254740992\n");
  });
});

describe("a histogram", () => {
  test("counts in each bucket what took no longer", () => {
    const histogram = new Histogram();
    for (const seconds of [0, 0.0001, 0.0002, 0.3, 1000]) histogram.observe(seconds);
    const samples = histogram.samples({ rpc: "Check" });
    const bucket = (le: string) => samples.find(({ labels }) => labels["le"] === le)?.value;
    expect([bucket("0.0001"), bucket("0.00025"), bucket("0.25")]).toEqual([2, 3, 3]);
    expect([bucket("0.5"), bucket("60"), bucket("+Inf")]).toEqual([4, 4, 5]);
    expect(samples.slice(-2)).toEqual([
      { suffix: "_sum", labels: { rpc: "Check" }, value: 1000.3003 },
      { suffix: "_count", labels: { rpc: "Check" }, value: 5 },
    ]);
  });
});

const why = noPrometheus === undefined ? "" : ` (skipped: needs ${noPrometheus})`;

test.skipIf(noPrometheus !== undefined)(`Prometheus reads what was written${why}`, () => {
  const histogram = new Histogram();
  histogram.observe(0.002);
  const strange = 'a "b"\\\n{c="d"} ü, #';
  const read = readMetrics(
    exposition([
      items("mounts", "Mounts.", [[{ mount: strange }, { total: 1e21, used: 0.1 }]]),
      {
        name: "calls",
        type: "histogram",
        help: "Calls.",
        samples: histogram.samples({ rpc: "x" }),
      },
    ]),
  );
  expect(read.get("mounts")).toEqual({
    name: "mounts",
    type: "gauge",
    help: "Mounts.",
    samples: [
      { name: "mounts", labels: { mount: strange, item: "total" }, value: 1e21 },
      { name: "mounts", labels: { mount: strange, item: "used" }, value: 0.1 },
    ],
  });
  expect(read.get("calls")?.type).toBe("histogram");
  expect(read.get("calls")?.samples.at(-1)).toEqual({
    name: "calls_count",
    labels: { rpc: "x" },
    value: 1,
  });
});
