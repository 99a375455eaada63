// The agent as a process of this machine.
import { connected } from "../support/connected.ts";
import { Transcript } from "../support/transcript.ts";
import type { Place } from "./place.ts";

const SOCKET = "/run/kata-agent-demo.sock";
const STARTED_IN_MS = 10_000;

/** Resolves when it serves. */
export async function startOnHost(binary: string, rootfs: string): Promise<Place> {
  const from = performance.now();
  const process = Bun.spawn([binary], {
    env: { KATA_AGENT_SERVER_ADDR: `unix://${SOCKET}` },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const said = Transcript.of("the agent", process.stdout);
  const log = () => said.text;
  const client = await connected({ process, socket: SOCKET, log }, STARTED_IN_MS);
  return {
    started: ["(start of the agent)", performance.now() - from],
    client,
    rootfs,
    remark: "",
    exited: process.exited,
    log,
    [Symbol.asyncDispose]: async () => {
      process.kill("SIGKILL");
      await process.exited;
    },
  };
}
