// Clone a process of a container, with its standard streams, up to the point where it is ready.
import { within } from "../async/timeout.ts";
import { unlessAborted } from "../async/unless-aborted.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { internal } from "../error.ts";
import { SIG } from "../linux/constants.ts";
import { spareNumber } from "../program/birth.ts";
import type { Child, Take } from "../tape/player.ts";
import type { Tape } from "../tape/tape.ts";
import { phase } from "../tracing/tracer.ts";
import { type SpawnBirth, clone } from "../child/clone.ts";
import type { Stop } from "../child/end-of.ts";
import type { Guest } from "./guest.ts";
import { ENDS_IN_MS, Process, fetchMaster, unending } from "./process.ts";
import { openPipes, terminalStdio } from "./stdio.ts";

export type Spawn = {
  readonly execId: string;
  readonly terminal: boolean;
  readonly program: (birth: SpawnBirth) => Tape;
  /** `parked`: the tape waits before it executes the program. `executed`: it has executed it. */
  readonly until: "parked" | "executed";
  /** At each the tape parks, and goes on when this is done. */
  readonly stops: readonly Stop[];
  /** CLONE_NEW* bits. */
  readonly namespaces?: number;
  readonly cgroup: Pick<Cgroup, "entry">;
  readonly guest: Guest;
  readonly take?: Take | undefined;
  /** What the agent has to do while the child plays its tape: there may be a processor for each. */
  readonly meanwhile?: (() => void) | undefined;
  /** Aborted: the process is killed. */
  readonly signal: AbortSignal;
};

/** Throws a TapeError, or what `signal` says; then the process has ended. */
export function spawn(options: Spawn): Promise<Process> {
  return phase(`process until ${options.until}`, () => make(options));
}

async function make(options: Spawn): Promise<Process> {
  const { execId, terminal, cgroup, guest, signal } = options;
  signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  const pipes = terminal ? null : undo.use(openPipes(guest.pipeSize));
  const { child, birth } = clone({
    program: options.program,
    stdio: pipes && {
      stdin: pipes.child.stdin.number,
      stdout: pipes.child.stdout.number,
      stderr: pipes.child.stderr.number,
    },
    entry: cgroup.entry,
    ignoredSignals: guest.ignoredSignals,
    namespaces: options.namespaces,
    take: options.take,
  });
  undo.defer(() => endChild(child));
  const kill = () => child.signal(SIG.KILL);
  signal.addEventListener("abort", kill, { once: true });
  try {
    options.meanwhile?.();
    // With a terminal the first park comes after it is opened.
    if (pipes === null) await unlessAborted(child.parked(), signal);
    const stdio =
      pipes === null
        ? terminalStdio(fetchMaster(child, spareNumber(birth)), child.exit)
        : pipes.into(child.exit);
    undo.defer(() => stdio.close());
    await untilReady(child, options);
    signal.throwIfAborted();
    undo.move();
    return new Process(execId, child, stdio);
  } catch (error) {
    // A child that was killed for it fails in some way or other.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** One that is killed for `signal` may never say so. */
async function untilReady(child: Child, { terminal, until, stops, signal }: Spawn): Promise<void> {
  const parked = () => unlessAborted(child.parked(), signal);
  let isParked = terminal;
  for (const stop of stops) {
    if (!isParked) await parked();
    await stop(child);
    child.resume();
    isParked = false;
  }
  if (until === "parked") {
    if (!isParked) await parked();
    return;
  }
  if (isParked) child.resume();
  await unlessAborted(child.played(), signal);
}

/** For a child that nobody will know of. Throws an AgentError if it does not go. */
async function endChild(child: Child): Promise<void> {
  child.signal(SIG.KILL);
  const isGone = await within(child.exit, ENDS_IN_MS);
  child[Symbol.dispose]();
  if (!isGone) throw internal(unending(child));
}
