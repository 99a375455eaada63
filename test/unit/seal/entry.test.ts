import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPILER } from "../../../src/seal/entry-code.ts";
import { SCRUBBED } from "../../../src/seal/scrubbed.ts";
import { SealedProbe } from "../../support/sealed-probe.ts";
import { ROOT, textOf } from "../repository/source.ts";

const PACKAGES = "gcc, linux-libc-dev, gcc-aarch64-linux-gnu and linux-libc-dev-arm64-cross";

function versionOf(compiler: string): string | undefined {
  if (Bun.which(compiler) === null) return undefined;
  return `gcc ${Bun.spawnSync([compiler, "-dumpfullversion"]).stdout.toString().trim()}`;
}

/** What assembling again lacks; undefined if nothing. */
function missingToAssemble(): string | undefined {
  const versions = ["x86_64-linux-gnu-gcc", "aarch64-linux-gnu-gcc"].map(versionOf);
  if (versions.includes(undefined) || !existsSync("/usr/aarch64-linux-gnu/include/asm/unistd.h")) {
    return `Debian's packages ${PACKAGES}`;
  }
  return versions.every((version) => version === COMPILER) ? undefined : COMPILER;
}

describe("the bytes of the entry code", () => {
  const missing = missingToAssemble();
  const title = "are what its source becomes";
  test.skipIf(missing !== undefined)(missing ? `${title} (needs ${missing})` : title, async () => {
    const directory = mkdtempSync(join(tmpdir(), "kata-agent-entry-"));
    try {
      const again = join(directory, "entry-code.ts");
      const { stderr } = Bun.spawnSync(["bash", join(ROOT, "src/seal/assemble.sh"), again]);
      expect(stderr.toString()).toBe("");
      expect(await Bun.file(again).text()).toBe(textOf("src/seal/entry-code.ts"));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

const noCompiler = Bun.which("cc") === null || !existsSync("/usr/include/dlfcn.h");

describe.skipIf(noCompiler)(
  `a sealed program${noCompiler ? " (needs Debian's packages gcc and libc6-dev)" : ""}`,
  () => {
    let probe: SealedProbe;

    beforeAll(async () => {
      probe = await SealedProbe.make();
    });

    afterAll(() => probe[Symbol.dispose]());

    /** What it says in a line that begins with `about`. */
    function told(about: string, command: readonly string[], env: Record<string, string> = {}) {
      const { stdout, stderr } = Bun.spawnSync([...command], { env });
      expect(stderr.toString()).toBe("");
      const lines = stdout.toString().split("\n");
      return lines.flatMap((line) =>
        line.startsWith(`${about} `) ? [line.slice(about.length + 1)] : [],
      );
    }

    /** Started by a shell that does something first. */
    const after = (script: string) => ["/bin/sh", "-c", `${script}; exec "$0"`, probe.path];

    test("gets its arguments, and functions of the libraries that are folded in", () => {
      const command = [probe.path, "2.25", "", "two words"];
      expect(told("argument", command)).toEqual(["2.25", "", "two words"]);
      expect(told("root", command)).toEqual(["1.5"]);
    });

    test("has libc loaded under its own name, for whoever opens it later", () => {
      expect(told("libc", [probe.path])).toEqual(["is loaded"]);
    });

    test("is left with no descriptor but those it was given", () => {
      expect(told("descriptor", [probe.path])).toEqual(["0", "1", "2"]);
      expect(told("descriptor", after("exec 4<&0 9<&0"))).toEqual(["0", "1", "2", "4", "9"]);
    });

    test("sees no variable that could change the runtime, and the others as they were", () => {
      const scrubbed = Object.fromEntries(SCRUBBED.map((name, at) => [`${name}X`, `${at}`]));
      const kept = { PATH: "/bin", KATA_AGENT_LOG_LEVEL: "debug", BUN: "1", XBUN_X: "2", E: "" };
      const env = { ...scrubbed, ...kept, LD_PRELOAD: "/absent.so", LD_SHOW_AUXV: "1" };
      expect(told("variable", [probe.path], env).toSorted()).toEqual(
        Object.entries(kept)
          .map(([name, value]) => `${name}=${value}`)
          .toSorted(),
      );
      expect(told("variable", [probe.path], scrubbed)).toEqual([]);
      expect(told("variable", [probe.path])).toEqual([]);
    });

    test("starts where only a handful of descriptors is allowed", () => {
      expect(told("root", after("ulimit -n 8"))).toEqual(["2"]);
    });

    test("says what is wrong where not even those are there", () => {
      const { exitCode, stderr } = Bun.spawnSync(after("ulimit -n 4"));
      expect(stderr.toString()).toBe("kata-agent: memfd_create for a library\n");
      expect(exitCode).toBe(127);
    });

    test("has all three standard descriptors where it was started without", () => {
      expect(told("descriptor", after("exec <&- 2>&-"))).toEqual(["0", "1", "2"]);
    });
  },
);
