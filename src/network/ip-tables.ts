// GetIPTables and SetIPTables by the programs of the guest: storage-devices-network.md section 7.7.
import { runProgram } from "../child/program.ts";
import { internal } from "../error.ts";

/** A restore waits some seconds for others, and each of thousands of rules may load a module. */
const TIMEOUT_MS = 30_000;

/** Less than the longest message of the protocol, of 4 MiB. */
const MOST_OUTPUT = 3 << 20;

/** Seconds that a restore waits for another program that changes the tables. */
const WAIT = "5";

/** As iptables-save(8) prints them. Throws an AgentError with the program's words if it fails. */
export async function getIpTables(isV6: boolean, signal: AbortSignal): Promise<Uint8Array> {
  return await run(isV6, "save", { args: [], signal });
}

/**
 * Put the tables that `data` names in the place of those that there are; iptables-restore(8) reads it.
 * Throws an AgentError with the program's words if it fails: a table that it refuses stays as it was.
 */
export async function setIpTables(
  isV6: boolean,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return await run(isV6, "restore", { args: ["--wait", WAIT], stdin: data, signal });
}

type Input = {
  readonly args: readonly string[];
  readonly stdin?: Uint8Array;
  readonly signal: AbortSignal;
};

async function run(isV6: boolean, verb: "save" | "restore", input: Input): Promise<Uint8Array> {
  const family = isV6 ? "ip6tables" : "iptables";
  const { status, stdout, stderr } = await runProgram({
    paths: pathsOf(family, verb),
    timeoutMs: TIMEOUT_MS,
    mostOutput: MOST_OUTPUT,
    ...input,
  });
  if (status !== 0) throw internal(`${family}-${verb} failed: ${JSON.stringify(stderr.trim())}`);
  return new TextEncoder().encode(stdout);
}

/** What the guest has chosen for itself, then the one that writes nftables, then the old one. */
function pathsOf(family: string, verb: string): readonly string[] {
  return [family, `${family}-nft`, `${family}-legacy`].flatMap((name) =>
    ["/usr/sbin", "/sbin"].map((directory) => `${directory}/${name}-${verb}`),
  );
}
