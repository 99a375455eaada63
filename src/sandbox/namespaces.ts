// The ipc and uts namespaces that all containers of a pod share. Held open here, and bound to the
// paths below /var/run/sandbox-ns where Kata's tools look for them.
import { Fd } from "../kernel/fd.ts";
import { makeDirectory } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { AT_FDCWD, CLONE } from "../linux/constants.ts";
import { openat, unlinkat } from "../linux/fs.ts";
import { sethostname } from "../linux/host.ts";
import { detach, mountBind } from "../linux/mount.ts";
import { O } from "../linux/open-flags.ts";
import { unshare } from "../linux/process.ts";
import { launch, openControl } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";

const DIRECTORY = "/var/run/sandbox-ns";
const TYPES = ["ipc", "uts"] as const;

export class SandboxNamespaces {
  readonly ipc: Fd;
  readonly uts: Fd;

  private constructor(ipc: Fd, uts: Fd) {
    this.ipc = ipc;
    this.uts = uts;
  }

  /** An empty hostname keeps the guest's. Throws, and then nothing is left. */
  static async create(hostname: string): Promise<SandboxNamespaces> {
    makeDirectory("/var/run");
    makeDirectory(DIRECTORY);
    for (const type of TYPES) Fd.of(`create ${pathOf(type)}`, createFile(type)).close();
    await using undo = new AsyncDisposableStack();
    undo.defer(removePaths);
    const control = openControl();
    using child = launch({ tape: makerProgram(hostname), control });
    await child.played();
    const status = await child.exit;
    if (status !== 0)
      throw new Error(`setup persistent namespaces: process ended with status ${status}`);
    const ipc = undo.use(openNamespace("ipc"));
    const uts = undo.use(openNamespace("uts"));
    undo.move();
    return new SandboxNamespaces(ipc, uts);
  }

  remove(): void {
    this.ipc.close();
    this.uts.close();
    removePaths();
  }
}

/** The namespaces outlive the process that makes them by their mounts. */
function makerProgram(hostname: string): Tape {
  const tape = new Tape();
  tape.do("setup persistent IPC and UTS namespaces", unshare(CLONE.NEWIPC | CLONE.NEWUTS));
  if (hostname !== "") tape.do(`set the hostname to ${hostname}`, sethostname(hostname));
  for (const type of TYPES) {
    tape.do(
      `setup persistent ${type.toUpperCase()} namespace`,
      mountBind(`/proc/self/ns/${type}`, pathOf(type)),
    );
  }
  return tape;
}

function createFile(type: (typeof TYPES)[number]) {
  return openat(AT_FDCWD, pathOf(type), O.RDONLY | O.CREAT | O.NOFOLLOW, 0o600);
}

function openNamespace(type: (typeof TYPES)[number]): Fd {
  return Fd.of(`open ${pathOf(type)}`, openat(AT_FDCWD, pathOf(type), O.RDONLY));
}

function removePaths(): void {
  for (const type of TYPES) {
    attempt(detach(pathOf(type)));
    attempt(unlinkat(AT_FDCWD, pathOf(type)));
  }
}

function pathOf(type: (typeof TYPES)[number]): string {
  return `${DIRECTORY}/${type}`;
}
