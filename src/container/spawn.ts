// Clone a process of a container, with its standard streams, up to the point where it is ready.
import type { Cgroup } from "../cgroup/cgroup.ts";
import type { Fd } from "../kernel/fd.ts";
import { SIG } from "../linux/constants.ts";
import { type Birth, masterNumber } from "../program/birth.ts";
import { type Child, type Control, type Take, launch, openControl } from "../tape/player.ts";
import type { Tape } from "../tape/tape.ts";
import type { Guest } from "./guest.ts";
import { Process, fetchMaster } from "./process.ts";
import { openPipes, terminalStdio } from "./stdio.ts";

/** What the agent gives a process whatever its spec. */
export type SpawnBirth = Pick<Birth, "control" | "stdio" | "cgroupFiles" | "ignoredSignals">;

/** What the agent does for a tape that is parked. */
export type Stop = (child: Child) => unknown;

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
  readonly pidNamespace?: Fd | undefined;
  readonly cgroup: Pick<Cgroup, "entry">;
  readonly guest: Guest;
  readonly take?: Take | undefined;
  /** Aborted: the process is killed. */
  readonly signal: AbortSignal;
};

/** Throws a TapeError, or what `signal` says; then the process has ended. */
export async function spawn(options: Spawn): Promise<Process> {
  const { execId, terminal, cgroup, guest, signal } = options;
  signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  const pipes = terminal ? null : undo.use(openPipes(guest.pipeSize));
  const control = openControl();
  const birth: SpawnBirth = {
    control: control.child.number,
    stdio: pipes && {
      stdin: pipes.child.stdin.number,
      stdout: pipes.child.stdout.number,
      stderr: pipes.child.stderr.number,
    },
    cgroupFiles: cgroup.entry.kind === "write" ? cgroup.entry.files : [],
    ignoredSignals: guest.ignoredSignals,
  };
  const child = launch({
    tape: writeTape(options.program, birth, control),
    control,
    take: options.take,
    ...(options.namespaces === undefined ? {} : { namespaces: options.namespaces }),
    ...(options.pidNamespace === undefined ? {} : { pidNamespace: options.pidNamespace }),
    ...(cgroup.entry.kind === "clone" ? { cgroup: cgroup.entry.directory } : {}),
  });
  undo.defer(() => endChild(child));
  const kill = () => child.signal(SIG.KILL);
  signal.addEventListener("abort", kill, { once: true });
  try {
    // With a terminal the first park comes after it is opened.
    if (pipes === null) await child.parked();
    const stdio =
      pipes === null
        ? terminalStdio(fetchMaster(child, masterNumber(birth)), child.exit)
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

/** A spec may ask for more than a tape can hold: then nobody will use the line. */
export function writeTape(
  program: (birth: SpawnBirth) => Tape,
  birth: SpawnBirth,
  control: Control,
): Tape {
  using onFailure = new DisposableStack();
  onFailure.use(control);
  const tape = program(birth);
  onFailure.move();
  return tape;
}

async function untilReady(child: Child, { terminal, until, stops }: Spawn): Promise<void> {
  let isParked = terminal;
  for (const stop of stops) {
    if (!isParked) await child.parked();
    await stop(child);
    child.resume();
    isParked = false;
  }
  if (until === "parked") {
    if (!isParked) await child.parked();
    return;
  }
  if (isParked) child.resume();
  await child.played();
}

/** For a child that nobody will know of. */
async function endChild(child: Child): Promise<void> {
  child.signal(SIG.KILL);
  await child.exit;
  child[Symbol.dispose]();
}
