// Who may import whom. The names of the tests are the reasons.
import { describe, expect, test } from "bun:test";
import { type Import, findIn, imports, sources } from "./source.ts";

type Layer = { readonly may: readonly string[]; readonly because: string };

const PURE = "the same input gives the same result on any machine and in any test";
const APART = "each area must be readable alone";

const BELOW_AREAS = [
  "linux",
  "tape",
  "oci",
  "program",
  "seccomp",
  "async",
  "error",
  "kernel",
  "player",
  "child",
  "tracing",
];
const AREAS = ["container", "cgroup", "storage", "device", "network", "guest", "metrics"];

/** By area: its own files, and those of the areas named, are all that a file may import. */
const LAYERS: Readonly<Record<string, Layer>> = {
  linux: { may: [], because: "the vocabulary of the kernel rests on nothing" },
  async: { may: [], because: PURE },
  error: { may: [], because: PURE },
  version: { may: [], because: PURE },
  gen: { may: [], because: "it is generated from proto/" },
  tape: { may: ["linux"], because: PURE },
  // `gen` by its types only: a test below.
  oci: { may: ["linux", "gen"], because: PURE },
  program: { may: ["linux", "tape", "oci"], because: PURE },
  seccomp: { may: ["linux", "oci"], because: PURE },
  option: { may: ["oci", "ttrpc"], because: PURE },
  ttrpc: { may: [], because: "the wire knows bytes and codes, and nothing of Kata" },
  kernel: { may: ["linux", "tape"], because: "effects rest on values only" },
  logging: { may: ["linux", "kernel", "version"], because: "whoever logs is above it" },
  player: { may: ["linux", "tape", "kernel"], because: "effects rest on values only" },
  tracing: {
    may: ["linux", "async", "kernel"],
    because: "whoever does something may say so",
  },
  child: {
    may: BELOW_AREAS,
    because: "a process is what every area needs, and belongs to none",
  },
  cgroup: { may: BELOW_AREAS, because: APART },
  // Some storages are devices, which come when they come.
  storage: { may: [...BELOW_AREAS, "device"], because: APART },
  device: { may: BELOW_AREAS, because: APART },
  network: { may: BELOW_AREAS, because: APART },
  guest: { may: BELOW_AREAS, because: APART },
  metrics: { may: BELOW_AREAS, because: APART },
  container: { may: [...BELOW_AREAS, "cgroup"], because: APART },
  sandbox: { may: [...BELOW_AREAS, ...AREAS], because: "the pod's state knows no protocol" },
  // In no list of another: the agent itself must not hold them.
  seal: { may: ["linux"], because: "it works on a file, at build time" },
  release: { may: ["linux"], because: "it works on files, at build time" },
  policy: { may: ["error", "oci"], because: "a policy decides and does nothing" },
  rpc: {
    may: [...BELOW_AREAS, ...AREAS, "sandbox", "gen", "version", "ttrpc", "policy"],
    because: "the API translates; it does not implement",
  },
};

/** Parts are wired in main.ts; what stands beside it serves it alone. */
const TOP = new Set([
  "main",
  "service",
  "config",
  "load-config",
  "as-init",
  "announce",
  "debug-state",
  "log",
  "explain",
  "rest",
  "warm-up",
]);

function areaOf(path: string): string {
  if (path === "src/tape/player.ts") return "player";
  return /^src\/([\w-]+)/.exec(path)?.[1] ?? path;
}

function isOurs({ to }: Import): boolean {
  return to.startsWith("src/");
}

const show = ({ from, to }: Import): string => `${from} imports ${to}`;

describe("the import graph of src", () => {
  test("covers every folder and file at the top of src", () => {
    const areas = new Set([...sources.keys()].map(areaOf));
    areas.delete("text");
    expect([...areas].filter((area) => !(area in LAYERS) && !TOP.has(area))).toEqual([]);
    expect(imports.length).toBeGreaterThan(sources.size);
  });

  test.each(
    Object.entries(LAYERS).map(([area, { may, because }]) => [area, because, may] as const),
  )("lets %s look down only: %s", (area, because, may) => {
    const allowed = new Set([area, ...may]);
    const wrong = imports
      .filter((each) => areaOf(each.from) === area && isOurs(each))
      .filter((each) => !allowed.has(areaOf(each.to)));
    expect(wrong.map((each) => `${show(each)}: ${because}`)).toEqual([]);
  });

  test("lets oci know the generated messages as types only: a spec needs no protobuf at run time", () => {
    const values = imports.filter(
      (each) => areaOf(each.from) === "oci" && areaOf(each.to) === "gen" && !each.typeOnly,
    );
    expect(values.map(show)).toEqual([]);
  });

  test("lets kernel take nothing from tape but the player's source", () => {
    const taken = imports.filter(
      (each) => areaOf(each.from) === "kernel" && areaOf(each.to) === "tape",
    );
    expect(taken.map(({ to }) => to)).toEqual(["src/tape/player.c"]);
  });

  test("has no cycle: every file can be read after those it rests on", () => {
    expect(cycles()).toEqual([]);
  });

  test("reaches native code in kernel only: one border to check", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        to === "bun:ffi" && areaOf(from) !== "kernel" && from !== "src/tape/player.ts",
    );
    expect(wrong.map(show)).toEqual([]);
  });

  test("reaches the file system in kernel only: effects in one place", () => {
    const wrong = imports.filter(
      ({ from, to }) => /^(node:)?fs(\/promises)?$/.test(to) && areaOf(from) !== "kernel",
    );
    expect(wrong.map(show)).toEqual([]);
  });
});

describe("the agent before it listens", () => {
  test("loads nothing that takes Bun long, nor the log: a runtime that is refused may give up", () => {
    const loaded = new Set(["src/main.ts"]);
    // What is added is visited as well.
    for (const path of loaded) {
      const now = imports.filter(
        ({ from, typeOnly, later }) => from === path && !typeOnly && later !== true,
      );
      for (const { to } of now) loaded.add(to);
    }
    const foreign = [...loaded].filter((path) => !path.startsWith("src/"));
    expect(foreign).toEqual(["bun:ffi"]);
    expect([...loaded]).not.toContain("src/log.ts");
  });
});

const PURE_AREAS = new Set([
  "seal",
  "linux",
  "tape",
  "oci",
  "program",
  "seccomp",
  "async",
  "error",
  "version",
  "option",
  "policy",
  "config",
]);
/** Where the wire meets sockets. */
const SOCKETS = new Set(["src/ttrpc/server.ts", "src/ttrpc/client.ts"]);

function isPure(path: string): boolean {
  if (path.endsWith(".d.ts")) return false;
  const area = areaOf(path);
  return PURE_AREAS.has(area) || (area === "ttrpc" && !SOCKETS.has(path));
}

describe("the pure files of src", () => {
  test(`import no module of the run time: ${PURE}`, () => {
    const wrong = imports.filter(({ from, to }) => isPure(from) && /^(node:|bun(:|$))/.test(to));
    expect(wrong.map(show)).toEqual([]);
  });

  test(`name no clock, no console, no Bun and no environment: ${PURE}`, () => {
    const named = /\b(Bun\.|Date\b|performance\b|console\b|fetch\()/;
    expect(findIn("code", named, notPure)).toEqual([]);
  });

  test(`name no global process, which is not the process of a spec: ${PURE}`, () => {
    const global = /\bprocess\.(argv|pid|ppid|on|once|exit|std\w+|nextTick|hrtime|arch|platform)\b/;
    expect(findIn("code", global, notPure)).toEqual([]);
    const unbound = findIn("code", /\bprocess\.\w+/, (path) => notPure(path) || bindsProcess(path));
    expect(unbound).toEqual([]);
  });
});

const notPure = (path: string): boolean => !isPure(path);

/** A parameter, a variable or a part of a destructured object is called `process`. */
function bindsProcess(path: string): boolean {
  return /[({,]\s*process\s*[:,}=)]|\b(?:const|let)\s+process\b/.test(
    sources.get(path)?.code ?? "",
  );
}

/** Each cycle once, as the files on its way. */
function cycles(): string[] {
  const graph = Map.groupBy(imports.filter(isOurs), ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) found.push([...way.slice(start), file].join(" → "));
    if (start >= 0 || done.has(file)) return;
    for (const { to } of graph.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
