// Connections that the agent makes itself.
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { connect, socket, unixAddress, vsockAddress } from "../linux/socket.ts";
import { Fd } from "./fd.ts";
import type { ListenAddress } from "./listener.ts";
import { attempt } from "./perform.ts";
import { writable } from "./poll.ts";

const EINPROGRESS = -errnoNumber("EINPROGRESS");

/**
 * A socket that does not block, connected or refused: then the first write says so. Throws a KernelError
 * for what is refused at once, and what `signal` says.
 */
export async function dial(address: ListenAddress, name: string, signal: AbortSignal): Promise<Fd> {
  const isUnix = address.family === "unix";
  using stack = new DisposableStack();
  const fd = stack.use(Fd.of(`open a socket for ${name}`, socket(isUnix ? "UNIX" : "VSOCK")));
  const bytes = isUnix ? unixAddress(address.path) : vsockAddress(address.cid, address.port);
  const call = connect(fd.number, bytes);
  const result = attempt(call);
  if (result < 0 && result !== EINPROGRESS)
    throw new KernelError(`connect to ${name}`, call, -result);
  if (result < 0) await writable(fd.number, signal);
  signal.throwIfAborted();
  stack.move();
  return fd;
}
