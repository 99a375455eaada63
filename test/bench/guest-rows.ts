// What of the promised numbers a guest can measure, with the agent that is its process 1's file and the
// runc that it has: guest-rows.ts DIRECTORY
import { basename, join } from "node:path";
import { makeRootfs } from "../support/rootfs.ts";
import type { Bench } from "./bench.ts";
import { BenchAgent } from "./bench-agent.ts";
import { createStart } from "./create-start.bench.ts";
import { exec } from "./exec.bench.ts";
import { table } from "./table.ts";

const EXECUTABLE = "/usr/bin/kata-agent";

const [directory = ""] = process.argv.slice(2);
const rootfs = join(directory, "rootfs");
makeRootfs(rootfs);
await using agent = await BenchAgent.start(EXECUTABLE, join(directory, "agent.sock"));
const nobody = { peer: "", peerSocket: "" };
const cgroup = basename(directory);
const parts = { directory, rootfs, cgroup, executable: EXECUTABLE, agent, pace: "quick" } as const;
const bench: Bench = { ...parts, ...nobody, serial: 0 };
const rows = [...(await createStart(bench)), ...(await exec(bench))];
console.log(table(rows));
