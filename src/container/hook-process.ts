// One hook as a process: it is told the state of the container, listened to, and made to end.
import { within } from "../async/timeout.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { Fd } from "../kernel/fd.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { writeAll } from "../kernel/relay.ts";
import { readTail } from "../kernel/tail.ts";
import { SIG } from "../linux/constants.ts";
import { setStatusFlags } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { kill } from "../linux/process.ts";
import type { Child, Take } from "../tape/player.ts";
import type { Tape } from "../tape/tape.ts";
import { type SpawnBirth, clone } from "./clone.ts";
import type { Stop } from "./spawn.ts";

export type HookProcess = {
  /** Makes a session of its own. */
  readonly program: (birth: SpawnBirth) => Tape;
  readonly pidNamespace?: Fd | undefined;
  /** Absent: the agent's own. */
  readonly cgroup?: Cgroup | undefined;
  /** At each the tape parks, and goes on when this is done. */
  readonly stops?: readonly Stop[] | undefined;
  readonly ignoredSignals: readonly number[];
  readonly take?: Take | undefined;
  /** For its standard input. */
  readonly state: string;
  readonly timeoutMs: number;
  /** Aborted: it is killed. */
  readonly signal: AbortSignal;
};

export type HookResult = {
  /** The exit code, or 128 + the signal that killed it. */
  readonly status: number;
  /** The end of what it wrote, to stdout and stderr. */
  readonly output: string;
};

/** Of its output, in bytes: what it says last is why it fails. */
const KEPT_OUTPUT = 2048;
/** For a process that was killed to be gone. One that waits for a dead disk never is. */
const GRACE_MS = 1000;

/**
 * Resolves when it has ended; what it leaves behind is not waited for, even where that holds its
 * output open. Throws a TapeError when it cannot be executed, an Error when it runs too long, and
 * what `signal` says: then its whole process group is killed.
 */
export async function runHookProcess(options: HookProcess): Promise<HookResult> {
  const { state, signal } = options;
  signal.throwIfAborted();
  using owned = new DisposableStack();
  const { child, stdin, stdout } = launchHook(options, owned);
  const over = new AbortController();
  const output = readTail(stdout, KEPT_OUTPUT, over.signal);
  // It may end, or close its standard input, without having read a word.
  const told = writeAll(stdin, new TextEncoder().encode(state)).then(() => stdin.close());
  try {
    const status = await endOf(child, options);
    over.abort();
    return { status, output: await output };
  } finally {
    over.abort();
    stdin.close();
    await Promise.all([output, told]);
  }
}

type Launched = { readonly child: Child; readonly stdin: Fd; readonly stdout: Fd };

/** The agent's ends, and the child's descriptors, go to `owned`. */
function launchHook(options: HookProcess, owned: DisposableStack): Launched {
  const { program, pidNamespace, cgroup, ignoredSignals, take } = options;
  using ends = new DisposableStack();
  const [stdinEnd, stdin] = Fd.pipe("open a pipe for a hook's stdin");
  ends.use(stdinEnd);
  owned.use(stdin);
  const [stdout, stdoutEnd] = Fd.pipe("open a pipe for a hook's output");
  ends.use(stdoutEnd);
  owned.use(stdout);
  for (const fd of [stdin, stdout])
    perform("make a pipe non-blocking", setStatusFlags(fd.number, O.NONBLOCK));
  const { child } = clone({
    program,
    stdio: { stdin: stdinEnd.number, stdout: stdoutEnd.number, stderr: stdoutEnd.number },
    entry: cgroup?.entry,
    ignoredSignals,
    pidNamespace,
    take,
  });
  return { child: owned.use(child), stdin, stdout };
}

async function endOf(
  child: Child,
  { timeoutMs, signal, stops = [] }: HookProcess,
): Promise<number> {
  const late = new AbortController();
  const tooLong = () => late.abort(new Error(`it has not ended within ${timeoutMs / 1000} s`));
  const timer = setTimeout(tooLong, timeoutMs);
  const stop = AbortSignal.any([signal, late.signal]);
  const { promise: isKilled, resolve } = Promise.withResolvers<number>();
  const end = () => {
    // All that has stayed in its session's first group; itself, should it not have come that far.
    attempt(kill(-child.pid, SIG.KILL));
    child.signal(SIG.KILL);
    void within(child.exit, GRACE_MS).then(() => resolve(128 + SIG.KILL));
  };
  stop.addEventListener("abort", end, { once: true });
  try {
    const status = await Promise.race([statusOf(child, stops), isKilled]);
    stop.throwIfAborted();
    return status;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", end);
  }
}

/** Throws a TapeError: the report of an op that failed is read after the end, too. */
async function statusOf(child: Child, stops: readonly Stop[]): Promise<number> {
  for (const stop of stops) {
    await child.parked();
    await stop(child);
    child.resume();
  }
  const status = await child.exit;
  await child.played();
  return status;
}
