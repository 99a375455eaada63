// The promised numbers, measured: `npm run bench [-- --quick] [--full] [--svg]`.
//   --quick  few runs, to see that it works
//   --full   all 10,000 container cycles and the packed size: some minutes more
//   --svg    also draw docs/bench.svg
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildGoProgram, missingForGo } from "../interop/go-program.ts";
import { makeRootfs } from "../support/rootfs.ts";

const ROOT = join(import.meta.dir, "../..");

const lacking = missing();
if (lacking !== undefined) {
  console.error(`the benchmarks need ${lacking}; bash test/support/setup.sh test installs most`);
  process.exit(1);
}
const directory = mkdtempSync(join(tmpdir(), "kata-agent-bench-"));
try {
  run([process.execPath, "build.ts"]);
  makeRootfs(join(directory, "rootfs"));
  await buildGoProgram("./peer", join(directory, "peer"));
  // A shell as the first process: somebody must reap what runc's containers leave.
  const inShell = ["sh", "-c", '"$@"; exit $?', "sh"];
  const all = [process.execPath, join(import.meta.dir, "all.ts"), directory];
  // Should this be killed, so is all of that.
  const withThis = ["setpriv", "--pdeathsig", "KILL", "bash", "test/support/namespaces.sh"];
  run([...withThis, ...inShell, ...all, ...process.argv.slice(2)]);
} finally {
  rmSync(directory, { recursive: true });
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "root: they make namespaces, mounts and cgroups";
  const program = ["runc", "busybox"].find((name) => Bun.which(name) === null);
  return program ?? missingForGo;
}

function run(command: string[]): void {
  const { exitCode } = Bun.spawnSync(command, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (exitCode !== 0) throw new Error(`${command[0]} ended with status ${exitCode}`);
}
