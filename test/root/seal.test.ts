// The built executable in places that have nothing for it, and after what is done to it on its way into
// a guest.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { POWERED_OFF } from "../support/init-agent.ts";
import { SealedInit } from "../support/sealed-init.ts";

const ROOT = join(import.meta.dir, "../..");
const AGENT = join(ROOT, "dist/kata-agent");

const missing =
  process.getuid?.() !== 0 ? "root" : existsSync(AGENT) ? undefined : "the agent: npm run build";

const scratch = mkdtempSync(join(tmpdir(), "kata-agent-seal-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A directory that holds the executable, as `kata-agent`, and nothing else. */
function emptyRoot(name: string, executable: string): string {
  const root = join(scratch, name);
  mkdirSync(root);
  copyFileSync(executable, join(root, "kata-agent"), constants.COPYFILE_FICLONE);
  return root;
}

type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: ROOT,
    env: { PATH: Bun.env["PATH"], HOME: Bun.env["HOME"], ...env },
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** What each run must say, wherever it is. */
const version: Ran =
  missing === undefined ? run([AGENT, "--version"]) : { exitCode: 1, stdout: "", stderr: "" };

/** For a download, a strip or an emulation on a busy machine. */
const LIMIT_MS = 300_000;

/** What is told to be PID 1 of a guest answers, and takes what it holds for the guest with it. */
async function serves(root: string, command: readonly string[]): Promise<void> {
  await using agent = new SealedInit(root, command);
  using client = await agent.connect();
  expect(await client.call(Health.method.check, {})).toMatchObject({ status: 1 });
  await client.call(AgentService.method.destroySandbox, {});
  expect(await agent.ended()).toBe(POWERED_OFF);
}

/** As words on the kernel's command line, each does something to a program that Bun has compiled. */
const HOSTILE = [
  "BUN_BE_BUN=1",
  "BUN_JSC_dumpOptions=1",
  "BUN_JSC_useJIT=0",
  "BUN_OPTIONS=--version",
  "JavaScriptCoreUseJIT=0",
  "JSC_SIGNAL_FOR_GC=9",
  "LD_DEBUG=all",
  "LD_PRELOAD=/absent.so",
  "LD_SHOW_AUXV=1",
  "LD_TRACE_LOADED_OBJECTS=1",
  "MIMALLOC_VERBOSE=1",
  "SIMDUTF_FORCE_IMPLEMENTATION=x",
];

describe.skipIf(missing !== undefined)(
  `the executable${missing === undefined ? "" : ` (needs ${missing})`}`,
  () => {
    test("is the agent", () => {
      expect(version).toEqual({
        exitCode: 0,
        stdout: expect.stringMatching(/^kata-agent /),
        stderr: "",
      });
    });

    test("runs in a root that holds nothing else, and leaves nothing mounted", () => {
      const root = emptyRoot("empty", AGENT);
      // In a mount that passes on what is mounted below it, as the root of most systems is.
      const shared = ["unshare", "--mount", "--propagation", "shared", "sh", "-c"];
      const script = 'chroot "$0" /kata-agent --version && grep -c "$0" /proc/self/mountinfo';
      const { stdout, stderr } = run([...shared, script, root]);
      expect({ stdout, stderr }).toEqual({ stdout: `${version.stdout}0\n`, stderr: "" });
    });

    test("serves as the first process of a root that holds nothing else", async () => {
      const root = emptyRoot("first", AGENT);
      await serves(root, ["/kata-agent"]);
    });

    test("runs there without any standard descriptor", () => {
      const root = emptyRoot("closed", AGENT);
      const closed = ["sh", "-c", 'exec chroot "$0" /kata-agent --version <&- 2>&-', root];
      expect(run(closed)).toEqual(version);
      const all = ["sh", "-c", 'exec chroot "$0" /kata-agent --version <&- >&- 2>&-', root];
      expect(run(all).exitCode).toBe(0);
    });

    test("loads nothing that the root asks to load before all else", () => {
      const root = emptyRoot("preload", AGENT);
      mkdirSync(join(root, "etc"));
      writeFileSync(join(root, "etc/ld.so.preload"), "/absent.so\n");
      writeFileSync(join(root, "etc/ld.so.cache"), "glibc-ld.so.cache1.1");
      expect(run(["chroot", root, "/kata-agent", "--version"])).toEqual(version);
    });

    test("says what it lacks where it may not even mount /proc", () => {
      const root = emptyRoot("unprivileged", AGENT);
      const command = ["chroot", "--userspec=65534:65534", root, "/kata-agent", "--version"];
      expect(run(command)).toEqual({
        exitCode: 127,
        stdout: "",
        stderr: "kata-agent: /proc is not mounted\n",
      });
    });

    test.each(HOSTILE)("is not moved by %s", (variable) => {
      const [name = "", value = ""] = variable.split("=");
      expect(run([AGENT, "--version"], { [name]: value })).toEqual(version);
    });
  },
);

/** What image builders run on it, and the packages of Debian that have them. */
const STRIPS = [
  ["strip", "binutils"],
  ["eu-strip", "elfutils"],
  ["llvm-strip", "llvm"],
] as const;

describe("what strip leaves of the executable", () => {
  for (const [strip, name] of STRIPS) {
    const lacking = missing ?? (Bun.which(strip) === null ? `Debian's package ${name}` : undefined);
    const title = `is the agent: ${strip}`;
    test.skipIf(lacking !== undefined)(
      lacking ? `${title} (needs ${lacking})` : title,
      () => {
        const root = emptyRoot(strip, AGENT);
        const quiet = { exitCode: 0, stdout: "", stderr: "" };
        expect(run([strip, join(root, "kata-agent")])).toEqual(quiet);
        expect(run(["chroot", root, "/kata-agent", "--version"])).toEqual(version);
      },
      LIMIT_MS,
    );
  }
});

const EMULATOR = "/usr/bin/qemu-aarch64-static";
const noArm =
  missing ??
  (process.arch !== "x64"
    ? "another machine than arm64"
    : existsSync(EMULATOR)
      ? undefined
      : "Debian's package qemu-user-static");

describe.skipIf(noArm !== undefined)(
  `the executable for arm64, under emulation${noArm === undefined ? "" : ` (needs ${noArm})`}`,
  () => {
    const arm = join(scratch, "arm64");
    // What was built before may have been of another commit.
    const ofAnyCommit = {
      exitCode: 0,
      stdout: expect.stringMatching(/^kata-agent version /),
      stderr: "",
    };

    const emulated = ["/emulator", "/kata-agent"];

    /** Empty but for the emulator. */
    const emptyArmRoot = (name: string): string => {
      const root = emptyRoot(name, join(arm, "kata-agent"));
      copyFileSync(EMULATOR, join(root, "emulator"));
      return root;
    };

    beforeAll(() => {
      const { exitCode, stderr } = run([process.execPath, "build.ts", "--target=arm64", arm]);
      if (exitCode !== 0) throw new Error(stderr);
    }, LIMIT_MS);

    test(
      "is the agent",
      () => {
        const root = emptyArmRoot("arm64-version");
        expect(run(["chroot", root, ...emulated, "--version"])).toEqual(ofAnyCommit);
      },
      LIMIT_MS,
    );

    test(
      "serves as the first process",
      () => serves(emptyArmRoot("arm64-first"), emulated),
      LIMIT_MS,
    );

    test(
      "is not moved by the environment",
      () => {
        const env = { BUN_BE_BUN: "1", BUN_OPTIONS: "--version", JavaScriptCoreUseJIT: "0" };
        expect(run([EMULATOR, join(arm, "kata-agent"), "--version"], env)).toEqual(ofAnyCommit);
      },
      LIMIT_MS,
    );

    for (const [strip, name] of STRIPS.slice(1)) {
      const lacking = Bun.which(strip) === null;
      const title = `is the agent after ${strip}`;
      test.skipIf(lacking)(
        lacking ? `${title} (needs Debian's package ${name})` : title,
        () => {
          const root = emptyArmRoot(`arm64-${strip}`);
          run([strip, join(root, "kata-agent")]);
          expect(run(["chroot", root, ...emulated, "--version"])).toEqual(ofAnyCommit);
        },
        LIMIT_MS,
      );
    }
  },
);
