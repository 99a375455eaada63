/**
 * `Bun.listen` adopts a listening descriptor and `Bun.connect` a connected one, of any address family.
 * bun-types 1.4.5 declares the options for it and leaves out the two overloads that take them.
 */

import type { FdSocketOptions, Socket, SocketListener } from "bun";

declare module "bun" {
  function listen<Data = undefined>(options: FdSocketOptions<Data>): SocketListener<Data>;
  function connect<Data = undefined>(options: FdSocketOptions<Data>): Promise<Socket<Data>>;
}
