// Into a user namespace. Who is in it has all rights over what belongs to it and none over the
// guest, so what takes those comes before.
import { CLONE, PR } from "../linux/constants.ts";
import { fchown } from "../linux/fs.ts";
import { setgroups, setresgid, setresuid } from "../linux/credentials.ts";
import { prctl } from "../linux/process.ts";
import { type IdMaps, hostId } from "../oci/id-mapping.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { User } from "../oci/process.ts";
import { skip, type Tape } from "../tape/tape.ts";

/** The id maps of the user namespace that the process lives in. undefined: the guest's own. */
export type Mapped = { readonly ids?: IdMaps | undefined };

/**
 * Pipes are the guest's root's, and the container's could not open them again as /dev/stdout. As root
 * of the guest, who may give them away.
 */
export function giveStdio(tape: Tape, { uid, gid }: IdMaps, user: User): void {
  const owner = hostId(uid, user.uid);
  const group = hostId(gid, 0);
  if (owner === undefined || group === undefined) return;
  for (const number of [0, 1, 2]) {
    tape.do(`give descriptor ${number} to ${owner}:${group}`, fchown(number, owner, group), {
      EPERM: skip,
      EROFS: skip,
    });
  }
}

/** Groups of the guest would stay for ever where the namespace denies setgroups(2). */
export function leaveGroups(tape: Tape): void {
  tape.do("leave the agent's groups", setgroups([]));
}

/**
 * Only children move into a pid namespace, and only who is in the user namespace makes one that
 * belongs to it: the tape goes on in a new process, in the one that was joined or in a new one.
 */
export function beBornInside(tape: Tape, created: readonly NamespaceType[] = []): void {
  tape.fork("go on in a new process", created.includes("pid") ? CLONE.NEWPID : 0);
}

/** What is mounted and made from here on belongs to the root of the user namespace. */
export function becomeRootInside(tape: Tape): void {
  tape.do("become root's group in the user namespace", setresgid(0));
  tape.do("become root in the user namespace", setresuid(0));
  // The change of user has made it as fs.suid_dumpable says.
  tape.do("allow no tracing", prctl(PR.SET_DUMPABLE, 0));
}
