// Names of the machine: sethostname(2), setdomainname(2).
import { type Call, call } from "./call.ts";

export function sethostname(name: string): Call {
  return call("sethostname", name, new TextEncoder().encode(name).length);
}

export function setdomainname(name: string): Call {
  return call("setdomainname", name, new TextEncoder().encode(name).length);
}
