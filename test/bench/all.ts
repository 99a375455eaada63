// Run every benchmark, in the namespaces that run.ts makes: all.ts DIRECTORY [FLAGS]
import { mkdirSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";
import { AgentClient } from "../support/agent-client.ts";
import { cgroupsNamed, directoriesIn } from "../support/held.ts";
import type { Bench, Benchmark } from "./bench.ts";
import { BenchAgent } from "./bench-agent.ts";
import { copyFile } from "./copy-file.bench.ts";
import { createStart } from "./create-start.bench.ts";
import { exec } from "./exec.bench.ts";
import { listInterfaces } from "./list-interfaces.bench.ts";
import { busy, machine } from "./machine.ts";
import { memory } from "./memory.bench.ts";
import { metrics } from "./metrics.bench.ts";
import { readStdout } from "./read-stdout.bench.ts";
import { type Row, verdictOf } from "./row.ts";
import { size } from "./size.bench.ts";
import { startUp } from "./start-up.bench.ts";
import { drawing } from "./svg.ts";
import { table } from "./table.ts";
import { unary } from "./unary.bench.ts";

const ROOT = join(import.meta.dir, "../..");
const BENCHMARKS: readonly Benchmark[] = [
  createStart,
  exec,
  unary,
  readStdout,
  metrics,
  listInterfaces,
  copyFile,
  startUp,
  memory,
  size,
];

const [directory = "", ...flags] = process.argv.slice(2);
const pace = flags.includes("--quick") ? "quick" : flags.includes("--full") ? "full" : "usual";
const before = { machine: machine(), load: busy() };
const rows = await measure();
console.log(
  `\n${before.machine}; load ${before.load.toFixed(1)} before, ${busy().toFixed(1)} after\n`,
);
console.log(table(rows));
await save();

async function measure(): Promise<Row[]> {
  const executable = join(ROOT, "dist/kata-agent");
  const [peer, peerSocket] = [join(directory, "peer"), join(directory, "peer.sock")];
  const cgroup = basename(directory);
  const made: Row[] = [];
  const server = await startPeer(peer, peerSocket);
  try {
    await using agent = await BenchAgent.start(executable, join(directory, "agent.sock"));
    const rootfs = join(directory, "rootfs");
    const parts = { directory, rootfs, cgroup, executable, agent, peer, peerSocket, pace } as const;
    const bench: Bench = { ...parts, serial: 0 };
    for (const benchmark of BENCHMARKS) {
      const from = performance.now();
      made.push(...(await benchmark(bench)));
      const seconds = ((performance.now() - from) / 1000).toFixed(0);
      console.error(`${made.at(-1)?.what}: done in ${seconds} s`);
    }
  } finally {
    server.kill("SIGKILL");
    removeCgroups(cgroup);
  }
  return made;
}

async function startPeer(peer: string, socket: string): Promise<Bun.Subprocess> {
  const server = Bun.spawn([peer, "-socket", socket, "serve"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  for (;;) {
    try {
      using _ = await AgentClient.connect(socket);
      return server;
    } catch (error) {
      if (server.exitCode !== null) throw new Error("the peer has ended", { cause: error });
      await new Promise(setImmediate);
    }
  }
}

/** Every container removed its own; their parents are left. */
function removeCgroups(name: string): void {
  for (const top of cgroupsNamed(name)) {
    for (const each of [top, ...directoriesIn(top)].toReversed()) rmdirSync(each);
  }
}

async function save(): Promise<void> {
  const measured = rows.map((row) => ("absent" in row ? row : { ...row, ...verdictOf(row) }));
  const text = JSON.stringify({ ...before, loadAfter: busy(), pace, rows: measured });
  await Bun.write(join(ROOT, "dist/bench.json"), text);
  if (!flags.includes("--svg")) return;
  mkdirSync(join(ROOT, "docs"), { recursive: true });
  await Bun.write(join(ROOT, "docs/bench.svg"), drawing(rows));
}
