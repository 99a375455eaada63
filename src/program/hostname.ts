import { setdomainname, sethostname } from "../linux/host.ts";
import type { Spec } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";

/** Names the container's own uts namespace; the one of the sandbox has the sandbox's name. */
export function setNames(tape: Tape, { hostname, domainname }: Spec): void {
  if (hostname !== undefined) tape.do(`set the hostname to ${hostname}`, sethostname(hostname));
  if (domainname !== undefined) {
    tape.do(`set the domain name to ${domainname}`, setdomainname(domainname));
  }
}
