// What only the guest's root can give a container in a user namespace, made before that is entered:
// the sources of its bind mounts, its device nodes, and a view of /sys.
import { AT_FDCWD, CLONE } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { fchown, mknodat, openat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { attachMountAt, cloneMount, detach, mount_setattr } from "../linux/mount.ts";
import { MOUNT_ATTR } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import { unshare } from "../linux/process.ts";
import { type IdMaps, hostId } from "../oci/id-mapping.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Device, Mount, RootfsPropagation } from "../oci/spec.ts";
import type { Tape } from "../tape/tape.ts";
import { type BindContext, cloneSource } from "./bind-mount.ts";
import { deviceNumber, devicesOf, modeOf } from "./devices.ts";
import { attributesOf, newFilesystem } from "./filesystem.ts";
import { kindOf } from "./mount-kind.ts";
import { isolateMounts } from "./rootfs.ts";

/** Detached mounts, each used once. */
export type Prepared = {
  readonly mounts: ReadonlyMap<Mount, Reg>;
  /** Each is of one device node; by the path in the container. */
  readonly devices: ReadonlyMap<string, Reg>;
};

export const NOTHING_PREPARED: Prepared = { mounts: new Map(), devices: new Map() };

export type PrepareContext = BindContext & {
  readonly ids: IdMaps;
  readonly created: readonly NamespaceType[];
  readonly propagation: RootfsPropagation | undefined;
};

/** `devices`: beside the default ones; undefined where the container's /dev is the guest's. */
export function prepare(
  tape: Tape,
  mounts: readonly Mount[],
  devices: readonly Device[] | undefined,
  context: PrepareContext,
): Prepared {
  // One of its own: nothing that is attached here is seen by the agent.
  tape.do("create a mount namespace of the guest's", unshare(CLONE.NEWNS));
  isolateMounts(tape, context.propagation);
  const nodes = devices === undefined ? new Map() : makeNodes(tape, devices, context);
  const sources = mounts.flatMap((mount) => {
    const source = sourceOf(tape, mount, context);
    return source === undefined ? [] : [[mount, source] as const];
  });
  return { mounts: new Map(sources), devices: nodes };
}

function sourceOf(tape: Tape, mount: Mount, context: PrepareContext): Reg | undefined {
  const options = parseMountOptions(mount.options ?? []);
  const kind = kindOf(mount, options);
  if (kind === "bind") return cloneSource(tape, mount, options, context);
  const isShared = kind === "new" && mount.type === "sysfs" && !context.created.includes("network");
  if (!isShared) return undefined;
  // sysfs shows a network, and only who owns that one may mount it.
  const tree = tape.fd("clone /sys", cloneMount(AT_FDCWD, "/sys", false));
  const { set, clear } = attributesOf(options);
  const readonly = { set: set | MOUNT_ATTR.RDONLY, clear: clear & ~MOUNT_ATTR.RDONLY };
  tape.do(`set the flags of ${mount.destination}`, mount_setattr(tree, readonly));
  return tree;
}

/**
 * In a user namespace nobody makes device nodes, and none of a file system that was mounted there
 * can be opened.
 */
function makeNodes(
  tape: Tape,
  devices: readonly Device[],
  { bundle, ids }: PrepareContext,
): ReadonlyMap<string, Reg> {
  const nodes = devicesOf(devices).filter(({ type }) => type !== "p");
  const made = newFilesystem(tape, "tmpfs", { destination: "device nodes" }, PRIVATE);
  // A mount can be cloned when it is attached.
  tape.do(`mount the device nodes on ${bundle}`, attachMountAt(made, bundle));
  const clones = nodes.map((device, index) => {
    const name = String(index);
    const { path, uid = 0, gid = 0 } = device;
    tape.do(`create ${path}`, mknodat(made, name, modeOf(device), deviceNumber(device)));
    const node = tape.fd(`open ${path}`, openat(made, name, O.PATH | O.NOFOLLOW));
    const owner = hostId(ids.uid, uid) ?? 0;
    const group = hostId(ids.gid, gid) ?? 0;
    tape.do(`give ${path} to ${owner}:${group}`, fchown(node, owner, group));
    tape.do(`close ${path}`, close(node));
    return [path, tape.fd(`clone ${path}`, cloneMount(made, name, false))] as const;
  });
  tape.do("detach the device nodes", detach(bundle));
  tape.do("close the device nodes", close(made));
  return new Map(clones);
}

const PRIVATE = parseMountOptions(["nosuid", "noexec", "mode=755"]);
