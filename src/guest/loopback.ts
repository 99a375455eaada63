// The loopback interface, which is down in a new network: a pod talks to itself by it.
import { Fd } from "../kernel/fd.ts";
import { perform } from "../kernel/perform.ts";
import { IFF } from "../linux/constants.ts";
import {
  flagsIn,
  getInterfaceFlags,
  interfaceRequest,
  setInterfaceFlags,
} from "../linux/interface.ts";
import { socket } from "../linux/socket.ts";

const NAME = "lo";

/** The kernel adds its addresses itself. Throws a KernelError. */
export function bringUpLoopback(): void {
  using handle = Fd.of(`open a socket to see to ${NAME}`, socket("UNIX"));
  const request = interfaceRequest(NAME);
  perform(`get the flags of ${NAME}`, getInterfaceFlags(handle.number, request));
  const up = interfaceRequest(NAME, flagsIn(request) | IFF.UP);
  perform(`bring up ${NAME}`, setInterfaceFlags(handle.number, up));
}
