// A process of a container: its first one, or an exec.
import { within } from "../async/timeout.ts";
import { internal } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { tryReadText } from "../kernel/file.ts";
import { perform } from "../kernel/perform.ts";
import type { ExitStatus } from "../kernel/reaper.ts";
import { SIG } from "../linux/constants.ts";
import { setStatusFlags } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { handlesSignal } from "../linux/proc-status.ts";
import { pidfd_getfd } from "../linux/process.ts";
import type { Child } from "../tape/player.ts";
import type { PassedStreams } from "./passed-streams.ts";
import type { Stdio } from "./stdio.ts";

export class Process {
  /** The container's id for its first process: the Go runtime asks by it, the other by "". */
  readonly execId: string;
  readonly child: Child;
  readonly stdio: Stdio;
  /** Undefined while it runs. */
  exitStatus: ExitStatus | undefined;
  /** As whoever waits learns it. */
  #told: Promise<ExitStatus>;
  readonly #removed = Promise.withResolvers<never>();

  constructor(execId: string, child: Child, stdio: Stdio) {
    this.execId = execId;
    this.child = child;
    this.stdio = stdio;
    this.#told = child.exit;
    void child.exit.then((status) => (this.exitStatus = status));
    // Nobody need be waiting when the container goes.
    this.#removed.promise.catch(() => {});
  }

  /** Its streams are the host's own, which has all of the output before it learns of the end. At once. */
  connect(streams: PassedStreams): void {
    const over = this.stdio.connect(streams);
    this.beforeTold(() => over);
  }

  /** Do this once it has ended, before anybody who waits for that learns it. For its owner, at once. */
  beforeTold(work: () => Promise<unknown>): void {
    this.#told = this.#told.then(async (status) => {
      await work();
      return status;
    });
  }

  /** How it ended, or will. Throws once the container is removed, or `signal` is aborted. */
  async wait(signal: AbortSignal): Promise<ExitStatus> {
    const gone = Promise.withResolvers<never>();
    const abort = () => gone.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      return await Promise.race([this.#told, this.#removed.promise, gone.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** ESRCH counts as done: it has ended. Throws a KernelError, EINVAL for a number that is no signal. */
  signal(number: number): void {
    if (this.exitStatus === undefined) this.child.signal(number);
  }

  /** True if the process does something of its own with a signal, or has it blocked. */
  handles(signal: number): boolean {
    const status = tryReadText(`/proc/${this.child.pid}/status`);
    return status !== undefined && handlesSignal(status, signal);
  }

  /** Whoever waits for its end learns that the container goes, and waits no longer. */
  refuseWaits(): void {
    this.#removed.reject(internal("Invalid container id"));
  }

  /** Nobody asks for it any more. The process itself is not touched. */
  forget(): void {
    this.refuseWaits();
    this.stdio.close();
    this.child[Symbol.dispose]();
  }

  /** Kill it, and resolve when it is gone. Repeatable. Throws an AgentError if it does not go. */
  async end(): Promise<void> {
    this.refuseWaits();
    if (this.exitStatus === undefined) this.child.signal(SIG.KILL);
    const gone = this.child.exit.then(() => this.forget());
    if (!(await within(gone, ENDS_IN_MS))) throw internal(unending(this.child));
  }
}

/** A process that waits for a disk, or for a host that serves its files, cannot be killed until that answers. */
export const ENDS_IN_MS = 5000;

export function unending({ pid }: Child): string {
  return `process ${pid} has not ended within ${ENDS_IN_MS / 1000} s of being killed`;
}

/** The master of the terminal that a parked tape has opened. */
export function fetchMaster(child: Child, number: number): Fd {
  using onFailure = new DisposableStack();
  const fetch = pidfd_getfd(child.pidfd.number, number);
  const master = onFailure.use(Fd.of("fetch the terminal", fetch));
  perform("make the terminal non-blocking", setStatusFlags(master.number, O.RDWR | O.NONBLOCK));
  onFailure.move();
  return master;
}
