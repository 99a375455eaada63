// Device nodes and links in the container's /dev: the defaults of the runtime spec and what
// `linux.devices` asks for.
import { AT_FDCWD, S } from "../linux/constants.ts";
import type { Reg } from "../linux/call.ts";
import { fchown, makedev, mknodat, openat, symlinkat, unlinkat } from "../linux/fs.ts";
import { close } from "../linux/io.ts";
import { attachMount, cloneMount, mount_setattr } from "../linux/mount.ts";
import { MOUNT_ATTR } from "../linux/mount-flags.ts";
import { O } from "../linux/open-flags.ts";
import { components } from "../oci/path-components.ts";
import type { Device } from "../oci/spec.ts";
import { skip, type Tape } from "../tape/tape.ts";
import { openTarget } from "./mount-target.ts";

const DEFAULT_DEVICES: readonly Device[] = [
  { path: "/dev/null", type: "c", major: 1, minor: 3 },
  { path: "/dev/zero", type: "c", major: 1, minor: 5 },
  { path: "/dev/full", type: "c", major: 1, minor: 7 },
  { path: "/dev/tty", type: "c", major: 5, minor: 0 },
  { path: "/dev/random", type: "c", major: 1, minor: 8 },
  { path: "/dev/urandom", type: "c", major: 1, minor: 9 },
];

/** `kcore` is the name that Kata has always made, `core` the one other runtimes make. */
const LINKS = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
  ["core", "/proc/kcore"],
  ["kcore", "/proc/kcore"],
  ["ptmx", "pts/ptmx"],
] as const;

const TYPE = { c: S.IFCHR, u: S.IFCHR, b: S.IFBLK, p: S.IFIFO } as const;
const ANYBODY = 0o666;
const PERMISSIONS = 0o7777;

/**
 * `nodes`: detached mounts of device nodes, by the path in the container, where it cannot make them
 * itself.
 */
export function populateDev(
  tape: Tape,
  root: Reg,
  requested: readonly Device[],
  nodes: ReadonlyMap<string, Reg>,
): void {
  const dev = openTarget(tape, root, "/dev", "directory");
  for (const [name, target] of LINKS) {
    const link = symlinkat(target, dev, name);
    tape.do(`link /dev/${name}`, link, {
      EEXIST: (block) => {
        // A directory or a mount of the spec's own stays.
        block.do(`remove /dev/${name}`, unlinkat(dev, name), { EISDIR: skip, EBUSY: skip });
        block.do(`link /dev/${name}`, link, { EEXIST: skip });
      },
    });
  }
  for (const device of devicesOf(requested)) {
    makeDevice(tape, root, dev, device, nodes.get(device.path));
  }
  tape.do("close /dev", close(dev));
}

/** With the default ones. What the spec says of one of those holds. /dev/ptmx is the link above. */
export function devicesOf(requested: readonly Device[]): readonly Device[] {
  const named = new Set(requested.map((device) => device.path));
  const defaults = DEFAULT_DEVICES.filter((device) => !named.has(device.path));
  return [...defaults, ...requested.filter((device) => device.path !== "/dev/ptmx")];
}

/** Type and permissions, for mknod(2). */
export function modeOf({ type, fileMode = 0 }: Device): number {
  return TYPE[type] | (fileMode & PERMISSIONS || ANYBODY);
}

/** For mknod(2). */
export function deviceNumber({ type, major = 0, minor = 0 }: Device): number {
  return type === "p" ? 0 : makedev(major, minor);
}

function makeDevice(
  tape: Tape,
  root: Reg,
  dev: Reg,
  device: Device,
  prepared: Reg | undefined,
): void {
  const names = components(device.path);
  const name = names.at(-1) ?? "";
  const isNested = names.length > 2;
  const parent = isNested
    ? openTarget(tape, root, `/${names.slice(0, -1).join("/")}`, "directory")
    : dev;
  const node =
    prepared === undefined
      ? mknodat(parent, name, modeOf(device), deviceNumber(device))
      : mknodat(parent, name, S.IFREG | 0o600);
  tape.do(`create ${device.path}`, node, {
    EEXIST: (block) => {
      // The image's own node may be anything; only a mount of the spec's own stays.
      block.do(`remove ${device.path}`, unlinkat(parent, name), { EBUSY: skip });
      block.do(`create ${device.path}`, node, { EEXIST: skip });
    },
  });
  if (prepared !== undefined) attachNode(tape, prepared, parent, name, device.path);
  else if (device.uid || device.gid) chownDevice(tape, parent, name, device);
  if (isNested) tape.do(`close the parent of ${device.path}`, close(parent));
}

/** In the place of the file that has just been made for it. */
function attachNode(tape: Tape, node: Reg, parent: Reg, name: string, path: string): void {
  const target = tape.fd(`open ${path}`, openat(parent, name, O.PATH | O.NOFOLLOW));
  tape.do(`mount ${path}`, attachMount(node, target));
  tape.do(`close the place of ${path}`, close(target));
  tape.do(`close the mount of ${path}`, close(node));
}

function chownDevice(tape: Tape, parent: Reg, name: string, device: Device): void {
  const made = tape.fd(`open ${device.path}`, openat(parent, name, O.PATH | O.NOFOLLOW));
  const { uid = 0, gid = 0 } = device;
  tape.do(`give ${device.path} to ${uid}:${gid}`, fchown(made, uid, gid));
  tape.do(`close ${device.path}`, close(made));
}

/**
 * The guest's own /dev/null over an open file: the container's cannot be trusted. Read-only, which hinders nobody
 * from writing to a device: else root in the container could say who may use the guest's.
 */
export function coverWithNull(tape: Tape, target: Reg, path: string): void {
  const nothing = tape.fd("clone the guest's /dev/null", cloneMount(AT_FDCWD, "/dev/null", false));
  const readonly = mount_setattr(nothing, { set: MOUNT_ATTR.RDONLY });
  tape.do("make the clone of /dev/null read-only", readonly);
  tape.do(`cover ${path}`, attachMount(nothing, target));
  tape.do("close the clone of /dev/null", close(nothing));
}
