import { errnoName } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import {
  accept4,
  bind,
  getpeername,
  listen,
  socket,
  unixAddress,
  vsockAddress,
} from "../linux/socket.ts";
import { Fd } from "./fd.ts";
import { attempt, perform } from "./perform.ts";
import { readable } from "./poll.ts";

export type ListenAddress =
  | { readonly family: "unix"; readonly path: string }
  | { readonly family: "vsock"; readonly cid: number; readonly port: number };

/** What the kernel lets wait for accept(2): somaxconn(5)'s default. */
const BACKLOG = 4096;

/** A listening socket, not blocking. A path that is there already is an error: EADDRINUSE. */
export function listenOn(address: ListenAddress, name: string): Fd {
  const isUnix = address.family === "unix";
  using stack = new DisposableStack();
  const fd = stack.use(Fd.of(`open a socket for ${name}`, socket(isUnix ? "UNIX" : "VSOCK")));
  const bytes = isUnix ? unixAddress(address.path) : vsockAddress(address.cid, address.port);
  perform(`bind to ${name}`, bind(fd.number, bytes));
  perform(`listen on ${name}`, listen(fd.number, BACKLOG));
  stack.move();
  return fd;
}

/** What goes wrong with one who wanted to connect, or is nothing at all. */
const PASSING: readonly string[] = ["EAGAIN", "EINTR", "ECONNABORTED"];

/** What is lacking until somebody else lets go of it. */
const SCARCE: readonly string[] = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];
const PAUSE_MS = 50;

/** The next connection, not blocking. Throws a KernelError when none can be accepted any more. */
export async function accept(listener: Fd): Promise<Fd> {
  for (;;) {
    await readable(listener.number);
    const call = accept4(listener.number);
    const result = attempt(call);
    if (result >= 0) return new Fd(result);
    const errno = errnoName(-result) ?? "";
    if (SCARCE.includes(errno)) await new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));
    else if (!PASSING.includes(errno)) throw new KernelError("accept a connection", call, -result);
  }
}

/** The port from which the other end of a vsock connection was made; undefined: it is gone already. */
export function vsockPeerPort(connection: Fd): number | undefined {
  const address = vsockAddress(0, 0);
  const length = new Uint8Array(new Uint32Array([address.length]).buffer);
  if (attempt(getpeername(connection.number, address, length)) < 0) return undefined;
  return new DataView(address.buffer).getUint32(4, true);
}
