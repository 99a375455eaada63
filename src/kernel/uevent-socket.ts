// What the kernel tells of devices that come and go.
import { NETLINK, SO, SOL } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import {
  bind,
  netlinkAddress,
  netlinkSocket,
  receiveFrom,
  setSocketOption,
} from "../linux/socket.ts";
import { Fd } from "./fd.ts";
import { attempt, perform } from "./perform.ts";
import { readable } from "./poll.ts";

/** The kernel's own messages. Group 2 is what udev tells others. */
const KERNEL_GROUP = 1;

/** The kernel allows 2 KiB of words and a path before them. */
const LONGEST_MESSAGE = 16 << 10;

/** Of messages that nobody has read. Plugging in memory or a disk with partitions brings hundreds at once. */
const BUFFER_BYTES = 8 << 20;

/** Then everything else has its turn: a container can raise any number of events. */
const BATCH = 64;

/** Some messages are lost: what there is by now is in sysfs. */
export const OVERRUN = "overrun";

export class UeventSocket implements Disposable {
  readonly #fd: Fd;

  private constructor(fd: Fd) {
    this.#fd = fd;
  }

  /** Hears everything from now on. Throws a KernelError. */
  static open(bufferBytes = BUFFER_BYTES): UeventSocket {
    using stack = new DisposableStack();
    const fd = stack.use(Fd.of("open the uevent socket", netlinkSocket(NETLINK.KOBJECT_UEVENT)));
    const { number } = fd;
    // Without it more overruns are to be heard of, and nothing worse.
    attempt(setSocketOption(number, SOL.SOCKET, SO.RCVBUFFORCE, bufferBytes));
    perform("listen to uevents", bind(number, netlinkAddress(0, KERNEL_GROUP)));
    stack.move();
    return new UeventSocket(fd);
  }

  /** Each message of the kernel, in order, until the socket is closed. The bytes are the reader's. */
  async *messages(): AsyncGenerator<Uint8Array | typeof OVERRUN> {
    const buffer = new Uint8Array(LONGEST_MESSAGE);
    while (this.#fd.isOpen) {
      await readable(this.#fd.number);
      for (let count = 0; count < BATCH && this.#fd.isOpen; count++) {
        const message = this.#receive(buffer);
        if (message === undefined) break;
        if (message.length > 0) yield message;
      }
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  /** undefined: there is none for now. Empty: one that is not the kernel's, or too long to be. */
  #receive(buffer: Uint8Array): Uint8Array | typeof OVERRUN | undefined {
    const from = netlinkAddress();
    const fromLength = new Uint8Array(Uint32Array.of(from.length).buffer);
    const receiving = receiveFrom(this.#fd.number, buffer, from, fromLength);
    const result = attempt(receiving);
    if (result === -errnoNumber("EAGAIN")) return undefined;
    if (result === -errnoNumber("ENOBUFS")) return OVERRUN;
    if (result < 0) throw new KernelError("read uevents", receiving, -result);
    // Root in a container that shares the network namespace can send to the group as well.
    const port = new DataView(from.buffer).getUint32(4, true);
    return buffer.slice(0, port === 0 && result <= buffer.length ? result : 0);
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }
}
