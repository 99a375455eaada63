/** A listening unix socket as a bare descriptor, which is what `serve` takes. */

import { dlopen } from "bun:ffi";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const BACKLOG = 1024;

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
});

/** `path` begins with a NUL for an abstract name: unix(7). */
export function listenUnix(path: string): number {
  const name = new TextEncoder().encode(path);
  const address = new Uint8Array(2 + name.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error("socket AF_UNIX");
  if (libc.bind(fd, address, address.length) < 0) throw new Error(`bind ${JSON.stringify(path)}`);
  if (libc.listen(fd, BACKLOG) < 0) throw new Error(`listen on ${JSON.stringify(path)}`);
  return fd;
}

/** Two connected stream sockets. */
export function socketPair(): readonly [number, number] {
  const pair = new Int32Array(2);
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (libc.socketpair(AF_UNIX, type, 0, pair) < 0) throw new Error("socketpair AF_UNIX");
  return [pair[0] ?? -1, pair[1] ?? -1];
}

let serial = 0;

/** An abstract name that no other test listens on. */
export function freshName(): string {
  return `\0kata-agent-test-${process.pid}-${serial++}`;
}
