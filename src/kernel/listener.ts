import { bind, listen, socket, unixAddress, vsockAddress } from "../linux/socket.ts";
import { Fd } from "./fd.ts";
import { perform } from "./perform.ts";

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
