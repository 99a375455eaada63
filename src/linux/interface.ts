// Flags of network interfaces by the old ioctls, on a socket of whatever family: netdevice(7).
import { type Call, type FdArg, call } from "./call.ts";
import { SIOC } from "./constants.ts";

/** struct ifreq: a name of 16 bytes, then what is asked or told of it. */
const SIZE = 40;
const FLAGS_AT = 16;

/** A request about the interface `name`, at most 15 bytes. */
export function interfaceRequest(name: string, flags = 0): Uint8Array {
  const request = new Uint8Array(SIZE);
  new TextEncoder().encodeInto(name, request.subarray(0, FLAGS_AT - 1));
  new DataView(request.buffer).setUint16(FLAGS_AT, flags, true);
  return request;
}

/** The answer to `getInterfaceFlags`, as IFF_* bits. */
export function flagsIn(request: Uint8Array): number {
  return new DataView(request.buffer, request.byteOffset).getUint16(FLAGS_AT, true);
}

export function getInterfaceFlags(socket: FdArg, request: Uint8Array): Call {
  return call("ioctl", socket, SIOC.GIFFLAGS, request);
}

export function setInterfaceFlags(socket: FdArg, request: Uint8Array): Call {
  return call("ioctl", socket, SIOC.SIFFLAGS, request);
}
