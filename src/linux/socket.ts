// Sockets: socket(2), unix(7), vsock(7), netlink(7).
import { type Call, type FdArg, call } from "./call.ts";
import { AF, MSG, SCM, SOCK, SOL } from "./constants.ts";
import { structOf } from "./struct.ts";

const STREAM = SOCK.STREAM | SOCK.NONBLOCK | SOCK.CLOEXEC;

export function socket(family: keyof typeof AF): Call {
  return call("socket", AF[family], STREAM, 0);
}

/** netlink(7) with the part of the kernel that `protocol` names, a NETLINK_* number. */
export function netlinkSocket(protocol: number): Call {
  return call("socket", AF.NETLINK, SOCK.RAW | SOCK.NONBLOCK | SOCK.CLOEXEC, protocol);
}

/** A connected pair that keeps message boundaries; two native 32-bit words in `pair` (8 bytes). */
export function socketpairSeqpacket(pair: Uint8Array): Call {
  return call("socketpair", AF.UNIX, SOCK.SEQPACKET | SOCK.CLOEXEC, 0, pair);
}

export function bind(fd: FdArg, address: Uint8Array): Call {
  return call("bind", fd, address, address.length);
}

export function listen(fd: FdArg, backlog: number): Call {
  return call("listen", fd, backlog);
}

/** setsockopt(2) of an option that is a number. */
export function setSocketOption(fd: FdArg, level: number, option: number, value: number): Call {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return call("setsockopt", fd, level, option, bytes, bytes.length);
}

/** accept4(2), without the peer's address. */
export function accept4(fd: FdArg): Call {
  return call("accept4", fd, null, null, SOCK.NONBLOCK | SOCK.CLOEXEC);
}

/** getpeername(2) into `address`; `length` is its length as a native 32-bit word, in and out. */
export function getpeername(fd: FdArg, address: Uint8Array, length: Uint8Array): Call {
  return call("getpeername", fd, address, length);
}

export function connect(fd: FdArg, address: Uint8Array): Call {
  return call("connect", fd, address, address.length);
}

/**
 * recvfrom(2) of one message: the result is its length, which may be more than `buffer` takes. `from`
 * takes the sender's address; `fromLength`, four bytes, holds the room for it.
 */
export function receiveFrom(
  fd: FdArg,
  buffer: Uint8Array,
  from: Uint8Array,
  fromLength: Uint8Array,
): Call {
  return call("recvfrom", fd, buffer, buffer.length, MSG.TRUNC, from, fromLength);
}

/** SHUT_WR of sys/socket.h */
const SHUT_WR = 1;

/** The other end reads what is on its way, and then the end: shutdown(2). */
export function endWriting(fd: FdArg): Call {
  return call("shutdown", fd, SHUT_WR);
}

/** sendmsg(2) of what `iovec`, encoded, points to, with a copy of `descriptor`. No SIGPIPE. */
export function sendDescriptor(fd: FdArg, iovec: Uint8Array, descriptor: number): Call {
  const control = new Uint8Array(24);
  const view = new DataView(control.buffer);
  // struct cmsghdr (cmsg(3)): the length of it all, then level and type.
  view.setBigUint64(0, 20n, true);
  view.setUint32(8, SOL.SOCKET, true);
  view.setUint32(12, SCM.RIGHTS, true);
  view.setInt32(16, descriptor, true);
  const message = structOf("msghdr", {
    msg_iov: iovec,
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: control.length,
  });
  return call("sendmsg", fd, message, MSG.NOSIGNAL);
}

/**
 * sockaddr_un. `path` begins with a NUL for an abstract name, which is exactly its bytes: no NUL
 * ends it, as one ends a path.
 */
export function unixAddress(path: string): Uint8Array {
  const text = new TextEncoder().encode(path.startsWith("\0") ? path : `${path}\0`);
  const address = new Uint8Array(2 + text.length);
  new DataView(address.buffer).setUint16(0, AF.UNIX, true);
  address.set(text, 2);
  return address;
}

/** sockaddr_vm (linux/vm_sockets.h); `cid` and `port` are unsigned 32-bit numbers. */
export function vsockAddress(cid: number, port: number): Uint8Array {
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF.VSOCK, true);
  view.setUint32(4, port, true);
  view.setUint32(8, cid, true);
  return address;
}

/** sockaddr_nl (linux/netlink.h); port 0 is the kernel, or leaves the choice to it. */
export function netlinkAddress(port = 0, groups = 0): Uint8Array {
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF.NETLINK, true);
  view.setUint32(4, port, true);
  view.setUint32(8, groups, true);
  return address;
}
