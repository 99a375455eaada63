// Play a tape in a child process of the agent.
import { CLONE, SIG } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { read, setStatusFlags, write } from "../linux/io.ts";
import { clone3, pidfd_getfd, pidfd_open, pidfd_send_signal } from "../linux/process.ts";
import { O } from "../linux/open-flags.ts";
import { endWriting } from "../linux/socket.ts";
import { encodeStruct, structOf } from "../linux/struct.ts";
import { errnoNumber } from "../linux/errno.ts";
import { Fd } from "../kernel/fd.ts";
import { keepHeapFromChildren } from "../kernel/heap.ts";
import {
  type MappedMemory,
  addressOf,
  arch,
  launchRaw,
  mapMemory,
  neededByChildren,
} from "../kernel/native.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { readable } from "../kernel/poll.ts";
import { type ExitStatus, exitOf } from "../kernel/reaper.ts";
import { type Target, encode } from "./encode.ts";
import { TapeError } from "./error.ts";
import { type Op, type Tape, TapeTooLong } from "./tape.ts";

/**
 * The two ends of the line between the agent and one child. The child's end is in its tape. Disposed, both
 * are closed: for a tape that cannot be written.
 */
export type Control = Disposable & { readonly agent: Fd; readonly child: Fd };

export type Launch = {
  readonly tape: Tape;
  readonly control: Control;
  /** CLONE_NEW* bits, for what only clone(2) can make: the pid namespace. */
  readonly namespaces?: number | undefined;
  /** Be born in this cgroup (v2 only): a later move costs a grace period of the kernel. */
  readonly cgroup?: Fd | undefined;
  /** Takes the descriptors that the tape hands over, which are closed after it. */
  readonly take?: Take | undefined;
};

export type Take = (given: Fd, child: Child) => Promise<void>;

/** Room for one encoded tape: a 4 MiB request cannot make a longer one. */
const ARENA_BYTES = 16 << 20;

/** Most tapes take a quarter of it. */
const USUAL_BYTES = 512 << 10;

type Arena = MappedMemory & { readonly usual: Uint8Array };

let arena: Arena | undefined;

export function openControl(): Control {
  const [agent, child] = Fd.socketpair("open the control socket");
  perform("make the control socket non-blocking", setStatusFlags(agent.number, O.NONBLOCK));
  const close = () => {
    agent.close();
    child.close();
  };
  return { agent, child, [Symbol.dispose]: close };
}

/**
 * Clone a child that plays the tape. The child's end of the control line is closed in any case, the
 * agent's end belongs to the `Child`, and is closed if there comes none. Throws a KernelError.
 */
export function launch(options: Launch): Child {
  const { tape, control, namespaces, cgroup, take } = options;
  using _ = control.child;
  using onFailure = new DisposableStack();
  onFailure.use(control.agent);
  arena ??= prepareMemory();
  const { agent, child } = control;
  encodeInto(arena, tape, { arch, control: child.number, agent: agent.number });
  const pidfd = new Int32Array(1);
  const flags =
    CLONE.PIDFD + CLONE.CLEAR_SIGHAND + (namespaces ?? 0) + (cgroup ? CLONE.INTO_CGROUP : 0);
  const args = structOf("clone_args", {
    flags,
    pidfd: addressOf(pidfd),
    exit_signal: SIG.CHLD,
    ...(cgroup ? { cgroup: cgroup.number } : {}),
  });
  const bytes = encodeStruct(args, arch);
  const pid = Number(launchRaw(arena.address, addressOf(bytes), bytes.length));
  if (pid < 0) throw new KernelError("clone a child", clone3(args), -pid);
  onFailure.move();
  return new Child(pid, new Fd(pidfd[0] ?? -1), { tape, control: agent, take });
}

/** What is mapped after it stays in the children: tapes are played from it. */
function prepareMemory(): Arena {
  keepHeapFromChildren(neededByChildren);
  const mapped = mapMemory(ARENA_BYTES);
  return { ...mapped, usual: mapped.view(USUAL_BYTES) };
}

/** Throws TapeTooLong. */
function encodeInto(
  { address, usual, view }: Arena,
  tape: Tape,
  target: Omit<Target, "address" | "memory">,
): void {
  try {
    encode(tape, { ...target, address, memory: usual });
  } catch (error) {
    if (!(error instanceof TapeTooLong)) throw error;
    encode(tape, { ...target, address, memory: view(ARENA_BYTES) });
  }
}

/** `value`: 0 for a park, a descriptor, a pid negated, or an errno. */
type Message = { readonly index: number; readonly op: Op; readonly value: number };

const NOT_YET = Symbol("not yet");
const GO_ON = Uint8Array.of(1);

type Played = Pick<Launch, "tape" | "take"> & { readonly control: Fd };

/** A child that plays a tape, or the program that the tape executed. A tape may go on in a new one. */
export class Child implements Disposable {
  /** Of the process that plays last. */
  readonly exit: Promise<ExitStatus>;
  #pid: number;
  #pidfd: Fd;
  readonly #tape: Tape;
  readonly #control: Fd;
  readonly #take: Take | undefined;
  /** How the process ends that plays now, as far as is known. */
  #playing: Promise<ExitStatus>;
  #isKilled = false;
  /** The first process has ended in some other way than by going on in a new one. */
  #hasFailed = false;

  constructor(pid: number, pidfd: Fd, { tape, control, take }: Played) {
    this.#pid = pid;
    this.#pidfd = pidfd;
    this.#tape = tape;
    this.#control = control;
    this.#take = take;
    this.#playing = exitOf(pid);
    const forks = tape.ops.some(({ kind }) => kind === "fork");
    this.exit = forks ? this.#lastExit() : this.#playing;
  }

  get pid(): number {
    return this.#pid;
  }

  get pidfd(): Fd {
    return this.#pidfd;
  }

  /** The tape has come to its next park point. Throws a TapeError, or an Error if the child ended. */
  async parked(): Promise<void> {
    if (await this.#progress()) return;
    throw new Error(`process ended with status ${await this.exit} before it was ready`);
  }

  /** Let a parked tape go on. */
  resume(): void {
    perform("resume the tape", write(this.#control.number, GO_ON));
  }

  /** The tape is over: it has executed a program, or it ended. Throws a TapeError. */
  async played(): Promise<void> {
    if (await this.#progress()) throw new Error("the tape parks where it should end");
    this.#control.close();
  }

  /** ESRCH, the process is gone already, counts as done. Throws a KernelError for the rest. */
  signal(signal: number): void {
    this.#isKilled ||= signal === SIG.KILL;
    if (!this.#pidfd.isOpen) return;
    const send = pidfd_send_signal(this.#pidfd.number, signal);
    const result = attempt(send);
    if (result < 0 && result !== -errnoNumber("ESRCH")) {
      throw new KernelError(`signal ${signal}`, send, -result);
    }
  }

  /** Give up the agent's descriptors. A tape that is parked ends; else the process is not touched. */
  [Symbol.dispose](): void {
    this.#control.close();
    this.#pidfd.close();
  }

  /** true: parked. false: the control line ended, by execve or exit. */
  async #progress(): Promise<boolean> {
    for (;;) {
      const message = await this.#message();
      if (message === undefined) return false;
      const { op, value } = message;
      if (op.kind === "park" && value === 0) return true;
      if (op.kind === "hand") await this.#receive(op.label, value);
      else if (op.kind === "fork" && value < 0) this.#follow(-value);
      else if (op.call !== null) throw new TapeError(this.#tape, message.index, op.call, value);
    }
  }

  /** The child goes on before it is known what becomes of the descriptor: somebody may wait for both. */
  async #receive(label: string, number: number): Promise<void> {
    using given = Fd.of(label, pidfd_getfd(this.#pidfd.number, number));
    this.resume();
    await this.#take?.(given, this);
  }

  /** What the child says next. undefined: it says nothing more. */
  async #message(): Promise<Message | undefined> {
    for (;;) {
      const said = this.#said();
      if (said !== NOT_YET) return said;
      await readable(this.#control.number);
    }
  }

  /** What the child has said. undefined: it says nothing more. */
  #said(): Message | typeof NOT_YET | undefined {
    const words = new BigInt64Array(2);
    const bytes = new Uint8Array(words.buffer);
    const receive = read(this.#control.number, bytes);
    const length = attempt(receive);
    if (length === -errnoNumber("EAGAIN")) return NOT_YET;
    // ECONNRESET: the child was killed before it took the byte of `resume`.
    if (length === 0 || length === -errnoNumber("ECONNRESET")) return undefined;
    if (length !== bytes.length) throw new KernelError("read the control socket", receive, -length);
    const index = Number(words[0]);
    const op = this.#tape.ops[index];
    if (op === undefined) throw new Error(`a child reports op ${index}, which its tape has not`);
    return { index, op, value: Number(words[1]) };
  }

  /** The tape ends in the process that it goes on in, if that is known. */
  async #lastExit(): Promise<ExitStatus> {
    for (;;) {
      const playing = this.#playing;
      const status = await playing;
      if (status === 0 && this.#playing === playing) this.#hearOfFork();
      if (this.#playing === playing) return status === 0 ? status : this.#fail(status);
    }
  }

  /** Nobody need be waiting for what the child says next. What has ended with 0 has nothing else to say. */
  #hearOfFork(): void {
    const said = this.#control.isOpen ? this.#said() : undefined;
    if (said !== NOT_YET && said?.op.kind === "fork") this.#follow(-said.value);
  }

  /**
   * Killed after it had cloned and before it could say so, it has left a process that waits to be known
   * and holds the line open: to that one the line ends here.
   */
  #fail(status: ExitStatus): ExitStatus {
    this.#hasFailed = true;
    if (this.#control.isOpen) attempt(endWriting(this.#control.number));
    return status;
  }

  /** The tape goes on in process `pid`, a child of the agent that waits to be known. */
  #follow(pid: number): void {
    // First: where descriptors are short, the next one has its number.
    this.#pidfd.close();
    const pidfd = attempt(pidfd_open(pid));
    if (pidfd < 0) {
      // Somebody has killed it, and it has been reaped as one that nobody knows.
      this.#playing = Promise.resolve(128 + SIG.KILL);
      return;
    }
    this.#pidfd = new Fd(pidfd);
    this.#pid = pid;
    this.#playing = exitOf(pid);
    if (this.#isKilled || this.#hasFailed) this.signal(SIG.KILL);
    // One that is gone by now says so by its exit.
    else attempt(write(this.#control.number, GO_ON));
  }
}
