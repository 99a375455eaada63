// Wait until a descriptor can be read or written, without a thread.
//
// Bun's loop reads an eventfd well, but it knows no way to merely wait for a pipe or a terminal: it
// would read ahead without bound. So all our descriptors sit in one epoll instance, and a kernel
// AIO poll request on that instance counts up an eventfd as soon as one of them is ready. A wake-up
// costs about 4 µs. (io_submit(2) with IOCB_CMD_POLL, since Linux 4.18; it takes no descriptor with
// two wait queues, such as a pty, which is one more reason for the epoll instance in between.)
import { call } from "../linux/call.ts";
import { EPOLL, EPOLL_CREATE, EPOLL_CTL, IOCB } from "../linux/constants.ts";
import { eventfd } from "../linux/io.ts";
import { encodeStruct, layoutOf, structOf } from "../linux/struct.ts";
import { arch, mapMemory } from "./native.ts";
import { attempt, perform } from "./perform.ts";

type Direction = "in" | "out" | "pri";
type Waiters = { readonly [key in Direction]: (() => void)[] } & { added: boolean };

const DIRECTIONS = [
  ["in", EPOLL.IN],
  ["out", EPOLL.OUT],
  ["pri", EPOLL.PRI],
] as const;

const BATCH = 64;
const EVENT_SIZE = layoutOf("epoll_event", arch).size;
const DATA_OFFSET = EVENT_SIZE - 8;

const waiting = new Map<number, Waiters>();
let poll: { readonly epoll: number } | undefined;

/** Resolves when `fd` has something to read, has ended, was closed here, or `signal` is aborted. */
export function readable(fd: number, signal?: AbortSignal): Promise<void> {
  return wait(fd, "in", signal);
}

/** Resolves when `fd` takes data, nobody reads it, it was closed here, or `signal` is aborted. */
export function writable(fd: number, signal?: AbortSignal): Promise<void> {
  return wait(fd, "out", signal);
}

/**
 * Resolves when the contents of a file that tells of changes, as memory.events of a cgroup does, are
 * no longer what was last read through `fd`, when the file is gone, or `fd` was closed here.
 */
export function changed(fd: number): Promise<void> {
  return wait(fd, "pri");
}

/** Wake whoever waits for `fd`: its owner is about to close it. */
export function forget(fd: number): void {
  const waiters = waiting.get(fd);
  if (waiters === undefined) return;
  waiting.delete(fd);
  if (waiters.added) attempt(call("epoll_ctl", start().epoll, EPOLL_CTL.DEL, fd, null));
  for (const [direction] of DIRECTIONS) for (const resume of waiters[direction]) resume();
}

async function wait(fd: number, direction: Direction, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiters = waiting.get(fd) ?? { in: [], out: [], pri: [], added: false };
  waiting.set(fd, waiters);
  waiters[direction].push(resolve);
  arm(fd, waiters);
  if (signal === undefined) return promise;
  const giveUp = () => resolve();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    if (!signal.aborted) await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
    // One that gave up must not stay in the list: the descriptor may never become ready.
    const at = waiters[direction].indexOf(resolve);
    if (at >= 0) waiters[direction].splice(at, 1);
  }
}

/** Ask for the next event of `fd`, once. */
function arm(fd: number, waiters: Waiters): void {
  const events = DIRECTIONS.reduce(
    (bits, [direction, bit]) => (waiters[direction].length > 0 ? bits | bit : bits),
    EPOLL.ONESHOT as number,
  );
  const operation = waiters.added ? EPOLL_CTL.MOD : EPOLL_CTL.ADD;
  const event = structOf("epoll_event", { events, data: fd });
  perform(`wait for descriptor ${fd}`, call("epoll_ctl", start().epoll, operation, fd, event));
  waiters.added = true;
}

function start(): { readonly epoll: number } {
  if (poll !== undefined) return poll;
  const epoll = perform("create the epoll instance", call("epoll_create1", EPOLL_CREATE.CLOEXEC));
  const bell = perform("create the wake-up eventfd", eventfd());
  const context = new BigUint64Array(1);
  perform("set up kernel AIO", call("io_setup", 4, new Uint8Array(context.buffer)));
  poll = { epoll };
  ring(epoll, bell, context[0] ?? 0n).catch(end);
  return poll;
}

/** Nothing that waits would ever wake again: better no agent than one that hangs every call. */
function end(error: unknown): never {
  process.stderr.write(`kata-agent can no longer wait for descriptors: ${error}\n`);
  process.exit(1);
}

/** One AIO poll request is always out; each completion adds 1 to the eventfd. */
async function ring(epoll: number, bell: number, context: bigint): Promise<void> {
  // The kernel keeps the addresses, so this memory must stay where it is: it is never collected.
  const { address, view } = mapMemory(4096);
  const memory = view(4096);
  const request = structOf("iocb", {
    lio_opcode: IOCB.CMD_POLL,
    fildes: epoll,
    buf: EPOLL.IN,
    flags: IOCB.FLAG_RESFD,
    resfd: bell,
  });
  memory.set(encodeStruct(request, arch), 64);
  new DataView(memory.buffer).setBigUint64(0, BigInt(address + 64), true);
  const submit = call("io_submit", context, 1, address);
  const collect = call("io_getevents", context, 0, 1, memory.subarray(1024, 1024 + 32), null);
  const ready = memory.subarray(2048, 2048 + EVENT_SIZE * BATCH);
  perform("submit the poll request", submit);
  for await (const _ of Bun.file(bell).stream()) {
    perform("collect the poll request", collect);
    dispatch(epoll, ready);
    perform("submit the poll request", submit);
  }
}

function dispatch(epoll: number, ready: Uint8Array): void {
  const count = attempt(call("epoll_pwait", epoll, ready, BATCH, 0, null, 8));
  const view = new DataView(ready.buffer, ready.byteOffset, ready.byteLength);
  for (let i = 0; i < count; i++) {
    const at = i * EVENT_SIZE;
    wake(view.getUint32(at + DATA_OFFSET, true), view.getUint32(at, true));
  }
}

function wake(fd: number, events: number): void {
  const waiters = waiting.get(fd);
  if (waiters === undefined) return;
  const over = (events & (EPOLL.ERR | EPOLL.HUP)) !== 0;
  const woken: (() => void)[] = [];
  for (const [direction, bit] of DIRECTIONS) {
    if (over || (events & bit) !== 0) woken.push(...waiters[direction].splice(0));
  }
  if (DIRECTIONS.some(([direction]) => waiters[direction].length > 0)) arm(fd, waiters);
  for (const resume of woken) resume();
}
