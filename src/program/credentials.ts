// Who the process is: groups and user, with the capabilities around the change.
import { PR } from "../linux/constants.ts";
import { setgroups, setresgid, setresuid } from "../linux/credentials.ts";
import { prctl } from "../linux/process.ts";
import type { User } from "../oci/process.ts";
import { skip, type Tape } from "../tape/tape.ts";

/**
 * Groups first: after the user has changed the process may no longer change them. A user namespace
 * may deny that to all; it is no error where there are none.
 */
export function becomeUser(
  tape: Tape,
  { uid, gid, additionalGids = [] }: User,
  isMapped: boolean,
): void {
  // Else leaving root would also take the permitted set, and with it what the spec grants.
  tape.do("keep capabilities over the change of user", prctl(PR.SET_KEEPCAPS, 1));
  const mayBeDenied = isMapped && additionalGids.length === 0;
  tape.do(
    `set supplementary groups [${additionalGids.join(", ")}]`,
    setgroups(additionalGids),
    mayBeDenied ? { EPERM: skip } : {},
  );
  tape.do(`become group ${gid}`, setresgid(gid));
  tape.do(`become user ${uid}`, setresuid(uid));
  tape.do("no longer keep capabilities", prctl(PR.SET_KEEPCAPS, 0));
}
