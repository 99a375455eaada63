// Run a program of the guest, such as iptables or modprobe, as the agent's own user and in its
// namespaces.
import { internal } from "../error.ts";
import { ignoredSignals } from "../kernel/ignored-signals.ts";
import { attempt } from "../kernel/perform.ts";
import { exists } from "../linux/fs.ts";
import { hookProgram } from "../program/hook.ts";
import { phase } from "../tracing/tracer.ts";
import { type Listened, runListened } from "./run-listened.ts";

export type GuestProgram = {
  /** Absolute; the first that is there is executed. */
  readonly paths: readonly string[];
  /** After the program's name. */
  readonly args: readonly string[];
  /** `NAME=value`; nothing is added. */
  readonly environment?: readonly string[];
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs: number;
  /** Aborted: it is killed. */
  readonly signal: AbortSignal;
  /** Bytes of standard output that it may write: more is an error. */
  readonly mostOutput?: number;
};

export type ProgramResult = {
  /** The exit code, or 128 + the signal that killed it. */
  readonly status: number;
  readonly stdout: string;
  /** The end of it. */
  readonly stderr: string;
};

const ENVIRONMENT = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "LC_ALL=C",
];

const MOST_OUTPUT = 64 << 10;

/**
 * Resolves when it has ended, whatever its status. Throws an AgentError where the guest has no such
 * program, a TapeError when it cannot be executed, an Error when it runs too long or says too much,
 * and what `signal` says: then it is killed, with all that it has started in its process group.
 */
export async function runProgram(options: GuestProgram): Promise<ProgramResult> {
  const { paths, args, environment = ENVIRONMENT, stdin = "", mostOutput = MOST_OUTPUT } = options;
  const path = paths.find((each) => attempt(exists(each)) >= 0);
  if (path === undefined) throw internal(`the guest has none of ${paths.join(", ")}`);
  const { timeoutMs, signal } = options;
  const hook = { path, args: [path, ...args], env: environment };
  const listened: Listened = {
    program: (birth) => hookProgram(hook, { ...birth, containerId: "", joined: {}, cwd: "/" }),
    ignoredSignals: ignoredSignals(),
    stdin,
    kept: mostOutput,
    timeoutMs,
    signal,
  };
  const { status, stdout, stderr } = await phase(path, () => runListened(listened)).catch(
    (error: unknown) => {
      throw signal.aborted ? error : named(path, error);
    },
  );
  if (stdout.isCut) throw internal(`${path} has written more than ${mostOutput} bytes`);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

/** What has taken too long says itself only that. */
function named(path: string, error: unknown): unknown {
  const isLate = error instanceof Error && error.constructor === Error;
  return isLate ? internal(`${path}: ${error.message}`) : error;
}
