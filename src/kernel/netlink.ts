// A conversation with rtnetlink(7): one request at a time, and all of its answer.
//
// A socket is opened for each of the agent's calls and closed with it. It costs some microseconds, and
// what one call has left unread is nothing to the next.
import type { Call } from "../linux/call.ts";
import { NETLINK, SOL } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { read, write } from "../linux/io.ts";
import {
  type NetlinkMessage,
  acknowledgementIn,
  decodeMessages,
  encodeMessage,
} from "../linux/netlink.ts";
import { NETLINK_OPTION, NLM_F, NLMSG } from "../linux/netlink-flags.ts";
import { connect, netlinkAddress, netlinkSocket, setSocketOption } from "../linux/socket.ts";
import { Fd } from "./fd.ts";
import { attempt, perform } from "./perform.ts";
import { readable } from "./poll.ts";

/** What is asked: `body` is a structure of rtnetlink and its attributes. */
export type NetlinkRequest = {
  /** RTM_*, see linux/rtnetlink.h. */
  readonly type: number;
  /** NLM_F_* beside those that every request has. */
  readonly flags?: number;
  readonly body: Uint8Array;
};

/** The kernel sends no more of a list at once (NLMSG_GOODSIZE grows to 32 KiB, net/netlink/af_netlink.c). */
const BUFFER_SIZE = 64 << 10;

/** Of one list. Far more than a pod has, and some megabytes. */
const MOST_MESSAGES = 1 << 16;

/** A list that changes under the kernel's hands is asked for again. */
const MOST_ROUNDS = 16;

/** The kernel answers before the request has returned; this is for one that does not at all. */
const PATIENCE_MS = 5000;

const EAGAIN = -errnoNumber("EAGAIN");
const EINTR = -errnoNumber("EINTR");

export class Netlink implements Disposable {
  readonly #socket: Fd;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #sequence = 0;

  /** `socket` is connected to the kernel, keeps the boundaries of messages, and gives EAGAIN. */
  constructor(socket: Fd) {
    this.#socket = socket;
  }

  /** Throws a KernelError. */
  static open(): Netlink {
    using opened = new DisposableStack();
    const socket = opened.use(Fd.of("open a netlink socket", netlinkSocket(NETLINK.ROUTE)));
    // The kernel's own words for what is wrong with a request, and not the request once more.
    for (const option of [NETLINK_OPTION.EXT_ACK, NETLINK_OPTION.CAP_ACK]) {
      attempt(setSocketOption(socket.number, SOL.NETLINK, option, 1));
    }
    // Nobody but the kernel can send to a socket that is connected to it.
    perform("connect to netlink", connect(socket.number, netlinkAddress()));
    opened.move();
    return new Netlink(socket);
  }

  /** Have something changed. Throws a KernelError that begins with `label` and the kernel's reason. */
  async change(label: string, request: NetlinkRequest): Promise<void> {
    const { sequence, call } = this.#send(label, request, NLM_F.ACK);
    for (;;) {
      for (const message of await this.#receive(label, call)) {
        if (message.sequence !== sequence) continue;
        if (hasEnded(label, call, message)) return;
      }
    }
  }

  /**
   * The bodies of all that there is. Asked for again where the kernel says that it has changed meanwhile.
   * Throws a KernelError that begins with `label`.
   */
  async list(label: string, request: NetlinkRequest): Promise<readonly Uint8Array[]> {
    for (let round = 1; ; round++) {
      try {
        const bodies = await this.#listOnce(label, request);
        if (bodies !== undefined) return bodies;
        if (round === MOST_ROUNDS) throw new Error(`${label}: it never stays the same`);
      } catch (error) {
        if (round === MOST_ROUNDS || !isWorthAnother(error)) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  /** undefined: it has changed meanwhile. */
  async #listOnce(
    label: string,
    request: NetlinkRequest,
  ): Promise<readonly Uint8Array[] | undefined> {
    const { sequence, call } = this.#send(label, request, NLM_F.DUMP);
    const bodies: Uint8Array[] = [];
    let hasChanged = false;
    for (;;) {
      for (const message of await this.#receive(label, call)) {
        if (message.sequence !== sequence) continue;
        hasChanged ||= (message.flags & NLM_F.DUMP_INTR) !== 0;
        if (hasEnded(label, call, message)) return hasChanged ? undefined : bodies;
        if (message.type !== NLMSG.NOOP) bodies.push(message.body);
      }
      if (bodies.length > MOST_MESSAGES) throw new Error(`${label}: more than ${MOST_MESSAGES}`);
      // A long list holds up nothing else.
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  #send(label: string, { type, flags = 0, body }: NetlinkRequest, how: number) {
    const sequence = ++this.#sequence;
    const message = { type, flags: NLM_F.REQUEST | how | flags, sequence, body };
    const call = write(this.#socket.number, encodeMessage(message));
    perform(label, call);
    return { sequence, call };
  }

  /** What comes at once. `call` is the request, for the error. */
  async #receive(label: string, call: Call): Promise<readonly NetlinkMessage[]> {
    for (;;) {
      const count = attempt(read(this.#socket.number, this.#buffer));
      if (count >= 0) return decodeMessages(this.#buffer.subarray(0, count));
      if (count === EAGAIN) await this.#wait(label);
      else if (count !== EINTR) throw new KernelError(label, call, -count);
    }
  }

  async #wait(label: string): Promise<void> {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    await readable(this.#socket.number, patience);
    if (patience.aborted) throw new Error(`${label}: no answer within ${PATIENCE_MS} ms`);
  }
}

/** Whether this is the last message of an answer. Throws the KernelError that it tells of. */
function hasEnded(label: string, call: Call, message: NetlinkMessage): boolean {
  const acknowledgement = acknowledgementIn(message);
  if (acknowledgement === undefined) return false;
  const { errno, text } = acknowledgement;
  if (errno === 0) return true;
  throw new KernelError(text === "" ? label : `${label}: ${text}`, call, errno);
}

/** EINTR is a list that changed; ENOBUFS one that was not read in time. */
function isWorthAnother(error: unknown): boolean {
  return error instanceof KernelError && (error.is("EINTR") || error.is("ENOBUFS"));
}
