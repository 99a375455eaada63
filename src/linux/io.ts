// Descriptors: read(2), write(2), close(2), dup(2), pipe(2), close_range(2), eventfd(2), fcntl(2),
// memfd_create(2).
import { type Call, type FdArg, call } from "./call.ts";
import { CLOSE_RANGE, EFD, F, MFD, RWF } from "./constants.ts";
import { O } from "./open-flags.ts";
import { structOf } from "./struct.ts";

/** Read up to the length of `buffer` into it. */
export function read(fd: FdArg, buffer: Uint8Array): Call {
  return call("read", fd, buffer, buffer.length);
}

/** The same from `offset` on, whatever has been read before. */
export function pread(fd: FdArg, buffer: Uint8Array, offset: number): Call {
  return call("pread64", fd, buffer, buffer.length, offset);
}

/** All of `data`, which may be a secret, at `offset`. */
export function pwrite(fd: FdArg, data: Uint8Array, offset: number): Call {
  return call("pwrite64", fd, data, data.length, offset);
}

/** preadv2(2) into one buffer: EAGAIN where the kernel would have to wait for it. */
export function preadNow(fd: FdArg, buffer: Uint8Array, offset: number): Call {
  const iovec = structOf("iovec", { iov_base: buffer, iov_len: buffer.length });
  return call("preadv2", fd, iovec, 1, offset, 0, RWF.NOWAIT);
}

export function write(fd: FdArg, data: Uint8Array): Call {
  return call("write", fd, data, data.length);
}

export function writeText(fd: FdArg, text: string): Call {
  return write(fd, new TextEncoder().encode(text));
}

/** Make the file `size` bytes long. */
export function ftruncate(fd: FdArg, size: number): Call {
  return call("ftruncate", fd, size);
}

/** sendfile(2): up to `bytes` from where `from` is to where `to` is; less at the end, or where `to` is full. */
export function sendfile(to: FdArg, from: FdArg, bytes: number): Call {
  return call("sendfile", to, from, null, bytes);
}

export function close(fd: FdArg): Call {
  return call("close", fd);
}

/** dup3(2): `number` becomes a copy of `fd`; kept across execve(2) unless `flags` says O_CLOEXEC. */
export function dup3(fd: FdArg, number: number, flags = 0): Call {
  return call("dup3", fd, number, flags);
}

/** Two descriptor numbers, read end first, as native 32-bit words in `pair` (8 bytes). */
export function pipe2(pair: Uint8Array, flags = 0): Call {
  return call("pipe2", pair, flags | O.CLOEXEC);
}

export function setPipeSize(fd: FdArg, bytes: number): Call {
  return call("fcntl", fd, F.SETPIPE_SZ, bytes);
}

export function setStatusFlags(fd: FdArg, flags: number): Call {
  return call("fcntl", fd, F.SETFL, flags);
}

/** Close the descriptors from `first` to `last` inclusive. */
export function close_range(first: number, last = 0xffffffff): Call {
  return call("close_range", first, last, 0);
}

/** Mark the descriptors from `first` on to be closed by execve(2). */
export function closeOnExecFrom(first: number): Call {
  return call("close_range", first, 0xffffffff, CLOSE_RANGE.CLOEXEC);
}

export function eventfd(): Call {
  return call("eventfd2", 0, EFD.NONBLOCK | EFD.CLOEXEC);
}

export function memfd_create(name: string): Call {
  return call("memfd_create", name, MFD.CLOEXEC);
}
