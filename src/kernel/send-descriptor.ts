// A descriptor given to another program, with some bytes that say what it is: unix(7), SCM_RIGHTS.
import { connect, sendDescriptor as send, socket, unixAddress } from "../linux/socket.ts";
import { encodeStruct, structOf } from "../linux/struct.ts";
import { Fd } from "./fd.ts";
import { addressOf, arch } from "./native.ts";
import { perform } from "./perform.ts";
import { writable } from "./poll.ts";
import { writeAll } from "./relay.ts";

/** Throws a KernelError if nobody listens at `path`, and an Error if he goes away before he has it all. */
export async function sendDescriptor(path: string, bytes: Uint8Array, given: Fd): Promise<void> {
  using line = Fd.of(`open a socket for ${path}`, socket("UNIX"));
  perform(`connect to ${path}`, connect(line.number, unixAddress(path)));
  const iovec = structOf("iovec", { iov_base: bytes, iov_len: bytes.length });
  const call = send(line.number, encodeStruct(iovec, arch, addressOf), given.number);
  await writable(line.number);
  const sent = perform(`send a descriptor to ${path}`, call);
  if (await writeAll(line, bytes.subarray(sent))) return;
  throw new Error(`send a descriptor to ${path}: not all of its state was taken`);
}
