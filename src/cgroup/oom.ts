// Notice that the kernel has killed a process of a cgroup because it was out of memory. The counter
// `oom_kill` is what says so; the kernel's calls only say when to look at it.
import { until } from "../async/until.ts";
import { Fd } from "../kernel/fd.ts";
import { writeText } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { changed, readable } from "../kernel/poll.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { openat } from "../linux/fs.ts";
import { eventfd, pread, read } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";

/** Looks at one counter, until it is disposed of. */
export class OomWatch implements Disposable {
  readonly #counter: Fd;
  readonly #onKill: () => void;
  readonly #buffer = new Uint8Array(512);
  #seen = 0;

  /** Owns `counter`, memory.events or memory.oom_control, open for reading. */
  constructor(counter: Fd, onKill: () => void) {
    this.#counter = counter;
    this.#onKill = onKill;
  }

  /** Look now. true: it has grown since the last look, and `onKill` was called. */
  check(): boolean {
    const kills = this.#read();
    if (kills <= this.#seen) return false;
    this.#seen = kills;
    this.#onKill();
    return true;
  }

  /** Look now. If there has been a kill at all, whoever was told of it gets a turn to pass it on. */
  async settled(): Promise<void> {
    this.check();
    if (this.#seen > 0) await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  get isOver(): boolean {
    return !this.#counter.isOpen;
  }

  [Symbol.dispose](): void {
    this.#counter.close();
  }

  /** 0 where the cgroup is gone, or the kernel does not count (before Linux 4.13). */
  #read(): number {
    if (this.isOver) return 0;
    const length = attempt(pread(this.#counter.number, this.#buffer, 0));
    const text = new TextDecoder().decode(this.#buffer.subarray(0, Math.max(length, 0)));
    const [, kills = "0"] = /^oom_kill (\d+)$/m.exec(text) ?? [];
    return Number(kills);
  }
}

/**
 * Kata's hosts are told once of a v2 container: the watch ends with the first kill. The counter has
 * in it what was killed in nested cgroups. undefined: the cgroup has no memory controller, and no
 * limit of memory that could be exceeded.
 */
export function watchOomV2(directory: string, onKill: () => void): OomWatch | undefined {
  const counter = openCounter(`${directory}/memory.events`);
  if (counter === undefined) return undefined;
  const watch = new OomWatch(counter, () => {
    watch[Symbol.dispose]();
    onKill();
  });
  void follow(watch, () => changed(counter.number));
  return watch;
}

/** Each look arms the next wait: the kernel tells of what has changed since the file was read. */
async function follow(watch: OomWatch, next: () => Promise<void>): Promise<void> {
  for (watch.check(); !watch.isOver; watch.check()) await next();
}

/** The kernel's v1 call comes before the kill, and for a process that it spares comes no kill. */
const KILL_FOLLOWS_MS = 100;

/**
 * Every kill is told, as far as the counter tells them apart; those in nested cgroups are not in it
 * (Documentation/admin-guide/cgroup-v1/memory.rst, section 10). undefined as for v2. Throws a KernelError.
 */
export function watchOomV1(directory: string, onKill: () => void): OomWatch | undefined {
  using onFailure = new DisposableStack();
  const counter = openCounter(`${directory}/memory.oom_control`);
  if (counter === undefined) return undefined;
  onFailure.use(counter);
  const bell = onFailure.use(Fd.of("create an eventfd for memory.oom_control", eventfd()));
  writeText(`${directory}/cgroup.event_control`, `${bell.number} ${counter.number}`);
  onFailure.move();
  const watch = new OomWatchV1(counter, bell, onKill);
  void listen(watch, bell);
  return watch;
}

class OomWatchV1 extends OomWatch {
  readonly #bell: Fd;

  constructor(counter: Fd, bell: Fd, onKill: () => void) {
    super(counter, onKill);
    this.#bell = bell;
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#bell.close();
  }
}

async function listen(watch: OomWatch, bell: Fd): Promise<void> {
  for (;;) {
    await readable(bell.number);
    if (watch.isOver) return;
    attempt(read(bell.number, new Uint8Array(8)));
    await until(() => watch.check() || watch.isOver, KILL_FOLLOWS_MS);
    if (watch.isOver) return;
  }
}

function openCounter(path: string): Fd | undefined {
  const result = attempt(openat(AT_FDCWD, path, O.RDONLY));
  if (result === -errnoNumber("ENOENT")) return undefined;
  if (result < 0) throw new KernelError(`open ${path}`, openat(AT_FDCWD, path, O.RDONLY), -result);
  return new Fd(result);
}
