// A user namespace, held open, and the ipc and uts namespaces that belong to it. Somebody has to be
// in it while its id maps are written, so a process is made for that.
import { Fd } from "../kernel/fd.ts";
import { readText, writeText } from "../kernel/file.ts";
import { CLONE, PR } from "../linux/constants.ts";
import { sethostname } from "../linux/host.ts";
import { prctl, setns, unshare } from "../linux/process.ts";
import { type IdMaps, idMapText, parseIdMap } from "../oci/id-mapping.ts";
import { closeOthers } from "../program/descriptors.ts";
import { type Child, launch, openControl } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";
import { openNamespace } from "./pinned-namespaces.ts";

/** The names that its processes share, where a pod has such. */
export type Names = { readonly ipc: Fd; readonly uts: Fd };

export type AskedUserNamespace = {
  /** A new one with these maps, or one to join. */
  readonly from: IdMaps | Fd;
  /** With an ipc and a uts namespace of this hostname; "" keeps the guest's. */
  readonly hostname?: string | undefined;
};

export class UserNamespace implements Disposable {
  readonly user: Fd;
  readonly maps: IdMaps;
  readonly names: Names | undefined;

  private constructor(user: Fd, maps: IdMaps, names: Names | undefined) {
    this.user = user;
    this.maps = maps;
    this.names = names;
  }

  /** Throws a KernelError or a TapeError, and then nothing is left. */
  static async create(asked: AskedUserNamespace): Promise<UserNamespace> {
    const control = openControl();
    const tape = makerProgram(control.child.number, asked);
    const child = launch({ tape, control });
    try {
      return new UserNamespace(...(await hold(child, asked)));
    } finally {
      // Parked, it ends when the agent lets go.
      child[Symbol.dispose]();
      await child.exit;
    }
  }

  [Symbol.dispose](): void {
    this.user.close();
    this.names?.ipc.close();
    this.names?.uts.close();
  }
}

type Parts = readonly [user: Fd, maps: IdMaps, names: Names | undefined];

/** `child` parks when it is in the user namespace, and again when it has the names. */
async function hold(child: Child, { from, hostname }: AskedUserNamespace): Promise<Parts> {
  using undo = new DisposableStack();
  const open = (type: "user" | "ipc" | "uts") => undo.use(openNamespace(child.pid, type));
  await child.parked();
  if (!(from instanceof Fd)) writeMaps(child.pid, from);
  const maps = from instanceof Fd ? readMaps(child.pid) : from;
  const user = open("user");
  if (hostname !== undefined) {
    child.resume();
    await child.parked();
  }
  const names = hostname === undefined ? undefined : { ipc: open("ipc"), uts: open("uts") };
  undo.move();
  return [user, maps, names];
}

function makerProgram(control: number, { from, hostname }: AskedUserNamespace): Tape {
  const tape = new Tape();
  tape.do("allow no tracing", prctl(PR.SET_DUMPABLE, 0));
  closeOthers(tape, from instanceof Fd ? [control, from.number] : [control]);
  if (from instanceof Fd) tape.do("enter the user namespace", setns(from.number, CLONE.NEWUSER));
  else tape.do("create a new user namespace", unshare(CLONE.NEWUSER));
  tape.park("wait for the id maps");
  if (hostname === undefined) return tape;
  tape.do("create ipc and uts namespaces of it", unshare(CLONE.NEWIPC | CLONE.NEWUTS));
  if (hostname !== "") tape.do(`set the hostname to ${hostname}`, sethostname(hostname));
  tape.park("wait until they are held");
  return tape;
}

/** By the guest's root, so that its processes may still change their groups. */
function writeMaps(pid: number, { uid, gid }: IdMaps): void {
  writeText(`/proc/${pid}/uid_map`, idMapText(uid));
  writeText(`/proc/${pid}/gid_map`, idMapText(gid));
}

function readMaps(pid: number): IdMaps {
  const read = (file: string) => parseIdMap(readText(`/proc/${pid}/${file}`));
  return { uid: read("uid_map"), gid: read("gid_map") };
}
