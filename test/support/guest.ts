// The agent's own namespaces, in which a test prepares what the host would have: mounts, files.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type MountinfoEntry, parseMountinfo } from "../../src/linux/mountinfo.ts";
import type { TestAgent } from "./agent.ts";

/** What the command prints. Throws with what it complains of. */
export function inGuest(agent: TestAgent, ...command: readonly string[]): string {
  const args = ["--target", String(agent.pid), "--mount", "--pid", "--uts", "--ipc", ...command];
  const { status, stdout, stderr } = spawnSync("nsenter", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}: status ${status}: ${stderr}`);
  return stdout.trimEnd();
}

/** A file as the agent's mount namespace shows it. */
export function guestPath(agent: TestAgent, path: string): string {
  return `/proc/${agent.pid}/root${path}`;
}

export function guestMounts(agent: TestAgent): MountinfoEntry[] {
  return parseMountinfo(readFileSync(`/proc/${agent.pid}/mountinfo`, "utf8"));
}
