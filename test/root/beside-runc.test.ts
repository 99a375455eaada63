// The same config.json under runc and under the agent: what the processes see is the same, but for
// what docs/conformance.md lists with the reason.
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v1 } from "../support/cgroup.ts";
import { tableOf } from "../support/conformance.ts";
import { type Engine, describeWithEngine } from "../support/engine.ts";
import { makeRootfs } from "../support/rootfs.ts";
import { Runc, noRunc } from "../support/runc.ts";
import { CASES, type Case, type Config } from "../support/runc-cases.ts";
import { COMPARED, type Sight, sightIn } from "../support/sight.ts";

const PATIENCE_MS = 60_000;

const directory = mkdtempSync(join(tmpdir(), "kata-agent-beside-runc-"));
// The root of a user namespace is nobody here, and has to reach its root file system.
chmodSync(directory, 0o755);
const cgroup = directory.slice(directory.lastIndexOf("/") + 1);
const rootfs = join(directory, "rootfs");

/** A root file system without anything that the one before has left there. */
function prepare({ config, firstId }: Case): Config {
  rmSync(rootfs, { recursive: true, force: true });
  makeRootfs(rootfs);
  for (const name of ["secret/directory", "frozen/inner", "data"]) {
    mkdirSync(join(rootfs, name), { recursive: true });
  }
  writeFileSync(join(rootfs, "secret/file"), "secret\n");
  const entries = readdirSync(rootfs, { recursive: true, encoding: "utf8" });
  if (firstId !== undefined) {
    for (const name of [".", ...entries]) lchownSync(join(rootfs, name), firstId, firstId);
  }
  return {
    ...config,
    root: { ...Object(config["root"]), path: rootfs },
    linux: { ...config.linux, cgroupsPath: `/${cgroup}/${COMPARED}` },
  };
}

function underRunc(runc: Runc, each: Case): string {
  const config = prepare(each);
  const { exec } = each;
  if (exec !== undefined) return runc.running(COMPARED, config, () => runc.exec(COMPARED, exec));
  return config.process["terminal"]
    ? runc.runInTerminal(COMPARED, config)
    : runc.run(COMPARED, config);
}

async function underAgent(engine: Engine, each: Case): Promise<string> {
  await engine.createFrom(COMPARED, prepare(each));
  if (each.exec === undefined) return (await engine.finish(COMPARED)).stdout;
  const container = engine.sandbox.container(COMPARED);
  try {
    await container.start();
    return (await engine.execFrom(COMPARED, each.exec)).stdout;
  } finally {
    await engine.sandbox.removeContainer(container);
  }
}

const seen = (text: string) => sightIn(text.replaceAll(cgroup, "test"), rootfs);

const HOLDS: Readonly<Record<string, boolean>> = {
  everywhere: true,
  "cgroup v1": !v1.skip,
  "cgroup v2": v1.skip,
  "/proc/kcore": existsSync("/proc/kcore"),
  "no /proc/kcore": !existsSync("/proc/kcore"),
};

/** What a row says of this machine. `a /dev/{null,zero}` is two names. */
function listedIn([what = "", where = "", theirs = "", ours = ""]: readonly string[]): string[] {
  if (HOLDS[where] === undefined)
    throw new Error(`docs/conformance.md: ${what}: where is ${where}?`);
  if (!HOLDS[where]) return [];
  const [, before = what, several = "", after = ""] = /^(.*)\{(.*)\}(.*)$/.exec(what) ?? [];
  return several.split(",").map((one) => [before + one + after, theirs, ours].join(" | "));
}

/** `name | runc | agent` */
function differences(theirs: Sight, ours: Sight): string[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])];
  return names
    .filter((name) => theirs.get(name) !== ours.get(name))
    .map((name) => [name, theirs.get(name) ?? "absent", ours.get(name) ?? "absent"].join(" | "));
}

describeWithEngine(
  "beside runc",
  (engine) => {
    const runc = new Runc(directory);
    const found = new Set<string>();
    const listed = new Set(tableOf("Beside runc").flatMap(listedIn));

    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    test.each(CASES)(
      "$title sees what is listed, and nothing else",
      async (each) => {
        const theirs = seen(underRunc(runc, each));
        const ours = seen(await underAgent(engine(), each));
        const differing = differences(theirs, ours);
        for (const one of differing) found.add(one);
        expect(differing.filter((one) => !listed.has(one))).toEqual([]);
      },
      PATIENCE_MS,
    );

    test("nothing is listed that none sees any more", () => {
      expect([...listed].filter((one) => !found.has(one))).toEqual([]);
    });
  },
  noRunc,
);
