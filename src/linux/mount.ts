// Mounts: mount(2) and the descriptor-based calls that came with Linux 5.2, one constructor per
// meaning.
import { AT, AT_FDCWD, MNT, MOVE_MOUNT, OPEN_TREE } from "./constants.ts";
import { type Call, type FdArg, call } from "./call.ts";
import { FSCONFIG, FSMOUNT, FSOPEN, FSPICK, MS } from "./mount-flags.ts";
import { structOf } from "./struct.ts";

/** A file system of its own, not what is mounted elsewhere; `data` as mount(8) takes it after `-o`. */
export function mountNew(
  fstype: string,
  source: string,
  target: string,
  flags: number,
  data: string | null,
): Call {
  return call("mount", source, target, fstype, flags, data);
}

/** Change the propagation of the mount at `target`; `flags` as MS_SLAVE, MS_SHARED, … with MS_REC. */
export function mountPropagation(target: string, flags: number): Call {
  return call("mount", null, target, null, flags, null);
}

export function mountBind(source: string, target: string, flags = 0): Call {
  return call("mount", source, target, null, MS.BIND | flags, null);
}

export function mountMove(source: string, target: string): Call {
  return call("mount", source, target, null, MS.MOVE, null);
}

export function umount2(target: string, flags: number): Call {
  return call("umount2", target, flags);
}

/** Take a mount out of sight now and free it once nobody uses it. */
export function detach(target: string): Call {
  return umount2(target, MNT.DETACH);
}

export function pivot_root(newRoot: string, putOld: string): Call {
  return call("pivot_root", newRoot, putOld);
}

/** A private copy of the mount at `path`, attached nowhere; with what is mounted below if `recursive`. */
export function cloneMount(dir: FdArg, path: string, recursive: boolean): Call {
  const flags = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | (recursive ? AT.RECURSIVE : 0);
  return call("open_tree", dir, path, path === "" ? flags | AT.EMPTY_PATH : flags);
}

/** Attach the detached mount `mount` at the place that `target` has open. */
export function attachMount(mount: FdArg, target: FdArg): Call {
  return call(
    "move_mount",
    mount,
    "",
    target,
    "",
    MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH,
  );
}

/** Attach the detached mount `mount` at a path the agent trusts. */
export function attachMountAt(mount: FdArg, target: string): Call {
  return call("move_mount", mount, "", AT_FDCWD, target, MOVE_MOUNT.F_EMPTY_PATH);
}

export function fsopen(fstype: string): Call {
  return call("fsopen", fstype, FSOPEN.CLOEXEC);
}

export function fsconfigFlag(context: FdArg, key: string): Call {
  return call("fsconfig", context, FSCONFIG.SET_FLAG, key, null, 0);
}

export function fsconfigString(context: FdArg, key: string, value: string): Call {
  return call("fsconfig", context, FSCONFIG.SET_STRING, key, value, 0);
}

export function fsconfigCreate(context: FdArg): Call {
  return call("fsconfig", context, FSCONFIG.CMD_CREATE, null, null, 0);
}

export function fsconfigReconfigure(context: FdArg): Call {
  return call("fsconfig", context, FSCONFIG.CMD_RECONFIGURE, null, null, 0);
}

/** To change the options of the file system that is mounted where `mount` is open: fspick(2). */
export function fspick(mount: FdArg): Call {
  return call("fspick", mount, "", FSPICK.CLOEXEC | FSPICK.EMPTY_PATH);
}

/** `attributes` as MOUNT_ATTR_* bits. */
export function fsmount(context: FdArg, attributes: number): Call {
  return call("fsmount", context, FSMOUNT.CLOEXEC, attributes);
}

export type MountAttributes = {
  readonly set?: number;
  readonly clear?: number;
  readonly propagation?: number;
  /** The user namespace whose maps MOUNT_ATTR_IDMAP takes. */
  readonly userns?: number;
};

/** mount_setattr(2) on an open mount; with everything below it if `recursive`. */
export function mount_setattr(mount: FdArg, attributes: MountAttributes, recursive = false): Call {
  const attr = structOf("mount_attr", {
    ...(attributes.set ? { attr_set: attributes.set } : {}),
    ...(attributes.clear ? { attr_clr: attributes.clear } : {}),
    ...(attributes.propagation ? { propagation: attributes.propagation } : {}),
    ...(attributes.userns === undefined ? {} : { userns_fd: attributes.userns }),
  });
  return call("mount_setattr", mount, "", AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0), attr, 32);
}
