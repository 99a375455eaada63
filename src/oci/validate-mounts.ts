// Rules for what is put into the container's tree.
import { MS } from "../linux/mount-flags.ts";
import { checkMappings } from "./id-mapping.ts";
import { InvalidSpec, quote } from "./invalid-spec.ts";
import { parseMountOptions } from "./mount-options.ts";
import { hasNamespace } from "./namespace.ts";
import { climbs, components, isAbsolute } from "./path-components.ts";
import { isCoverable } from "./proc-file.ts";
import type { Device, Mount } from "./spec.ts";
import type { ContainerSpec } from "./valid-spec.ts";

export function validMounts({ mounts = [], linux }: ContainerSpec): void {
  const inUserNamespace = hasNamespace(linux, "user");
  for (const [index, mount] of mounts.entries()) {
    checkMount(mount, inUserNamespace);
    checkMappings(`mounts[${index}].uidMappings`, mount.uidMappings ?? []);
    checkMappings(`mounts[${index}].gidMappings`, mount.gidMappings ?? []);
  }
}

function checkMount(mount: Mount, inUserNamespace: boolean): void {
  const { destination } = mount;
  const where = quote(destination);
  // The root file system itself is mounted before any of these and must not be covered.
  if (!isAbsolute(destination) || climbs(destination) || components(destination).length === 0)
    throw new InvalidSpec(`the mount destination ${where} is invalid`);

  const { flags, data, tmpcopyup } = parseMountOptions(mount.options ?? []);
  const isBind = (flags & MS.BIND) !== 0;
  if ((flags & MS.REMOUNT) === 0) checkProc(mount);
  if (!isBind) checkLengths(mount, data);
  if (tmpcopyup && mount.type !== "tmpfs")
    throw new InvalidSpec(`mount ${where} has tmpcopyup and is not a tmpfs`);
  checkIdMap(mount, isBind, inUserNamespace);
  if (isBind && (flags & MS.REMOUNT) === 0 && mount.source === undefined)
    throw new InvalidSpec(`bind mount ${where} has no source`);
}

const utf8 = new TextEncoder();

/** Bytes of a value or a name, without the NUL (fsconfig(2)). */
const LONGEST_VALUE = 255;

/** The kernel's EINVAL would not say which of the options it is about. */
function checkLengths({ destination, source = "" }: Mount, data: readonly string[]): void {
  const values = [["source", source] as const, ...data.map((option) => nameAndValue(option))];
  for (const [name, value] of values) {
    const bytes = Math.max(bytesOf(name), bytesOf(value));
    if (bytes <= LONGEST_VALUE) continue;
    const limit = `has ${bytes} bytes, fsconfig(2) takes ${LONGEST_VALUE}`;
    throw new InvalidSpec(`mount ${quote(destination)}: ${quote(name)} ${limit}`);
  }
}

function bytesOf(text: string): number {
  return utf8.encode(text).length;
}

function nameAndValue(option: string): readonly [name: string, value: string] {
  const [name = ""] = option.split("=", 1);
  return [name, option.slice(name.length + 1)];
}

function checkIdMap(mount: Mount, isBind: boolean, inUserNamespace: boolean): void {
  const { destination, uidMappings = [], gidMappings = [], options = [] } = mount;
  const where = quote(destination);
  const { idmap } = parseMountOptions(options);
  const maps = uidMappings.length + gidMappings.length > 0;
  if (idmap === undefined && !maps) return;
  if (!isBind) throw new InvalidSpec(`id-mapped mount ${where} is not a bind mount`);
  if (maps ? uidMappings.length === 0 || gidMappings.length === 0 : !inUserNamespace)
    throw new InvalidSpec(`id-mapped mount ${where} needs both uid and gid mappings`);
}

/**
 * What stands in /proc tells programs, the kernel's own interfaces included, where they are. A
 * destination that gets there through a link of the image is found when the mounts are made.
 */
function checkProc({ destination, type, source }: Mount): void {
  const [top, ...rest] = components(destination);
  if (top !== "proc") return;
  const where = quote(destination);
  const isCovered = rest.length > 0 && !isCoverable(rest.join("/"));
  if (isCovered) throw new InvalidSpec(`${where} cannot be mounted because it is inside /proc`);
  if (rest.length === 0 && type !== "proc" && source !== "/proc")
    throw new InvalidSpec(`${where} cannot be mounted because it is not of type proc`);
}

export function validDevices({ linux }: ContainerSpec): void {
  for (const device of linux.devices ?? []) checkDevice(device);
}

/** Bits of a device number (linux/kdev_t.h). */
const MAJORS = 2 ** 12;
const MINORS = 2 ** 20;

function checkDevice({ path, type, major = 0, minor = 0 }: Device): void {
  const [top, ...rest] = components(path);
  if (!isAbsolute(path) || climbs(path) || top !== "dev" || rest.length === 0)
    throw new InvalidSpec(`${quote(path)} is not a valid device path`);
  if (type === "p") return;
  if (major < 0 || major >= MAJORS || minor < 0 || minor >= MINORS)
    throw new InvalidSpec(`device ${quote(path)} has an invalid number ${major}:${minor}`);
}

export function validMaskedAndReadonlyPaths({ linux }: ContainerSpec): void {
  const { maskedPaths = [], readonlyPaths = [] } = linux;
  if (maskedPaths.length + readonlyPaths.length === 0) return;
  if (!hasNamespace(linux, "mount"))
    throw new InvalidSpec("security: Linux namespace does not contain mount");
  const bad = [...maskedPaths, ...readonlyPaths].find((path) => !isAbsolute(path) || climbs(path));
  if (bad !== undefined)
    throw new InvalidSpec(
      `cannot mount ${quote(bad)}: path does not start with '/' or contains '..'`,
    );
}
