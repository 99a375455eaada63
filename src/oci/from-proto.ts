// grpc.Spec → Spec. Presence rules: rpc.md section 7. What the message does not carry stays absent:
// whether a container can be made from the rest is for `validateSpec` to say.
import type {
  Hook as ProtoHook,
  Hooks as ProtoHooks,
  Linux as ProtoLinux,
  LinuxDevice as ProtoDevice,
  LinuxIDMapping as ProtoIdMapping,
  Mount as ProtoMount,
  Spec as ProtoSpec,
} from "../gen/oci_pb.ts";
import { processFromProto } from "./from-proto-process.ts";
import { resourcesFromProto } from "./from-proto-resources.ts";
import { seccompFromProto } from "./from-proto-seccomp.ts";
import type { HookKind } from "./hooks.ts";
import { oneOf } from "./invalid-spec.ts";
import { namespaceType } from "./namespace.ts";
import { integer, list, map, text, texts } from "./proto-value.ts";
import {
  DEVICE_TYPES,
  type Device,
  type Hook,
  type Hooks,
  type IdMapping,
  type Linux,
  type Mount,
  ROOTFS_PROPAGATIONS,
  type RootfsPropagation,
  type Spec,
} from "./spec.ts";

/** Throws InvalidSpec for a word that the OCI spec does not know in its place. */
export function specFromProto(spec: ProtoSpec): Spec {
  const { Process, Root, Hooks, Linux } = spec;
  return {
    ociVersion: spec.Version,
    process: Process && processFromProto(Process),
    root: Root && { path: Root.Path, readonly: Root.Readonly },
    hostname: text(spec.Hostname),
    mounts: list(spec.Mounts, mount),
    hooks: Hooks && convertHooks(Hooks),
    annotations: map(spec.Annotations),
    linux: Linux && convertLinux(Linux),
  };
}

function mount({ destination, type, source, options }: ProtoMount): Mount {
  return { destination, type: text(type), source: text(source), options: texts(options) };
}

function convertHooks(hooks: ProtoHooks): Hooks {
  return {
    prestart: list(hooks.Prestart, hookIn("prestart")),
    createRuntime: list(hooks.CreateRuntime, hookIn("createRuntime")),
    createContainer: list(hooks.CreateContainer, hookIn("createContainer")),
    startContainer: list(hooks.StartContainer, hookIn("startContainer")),
    poststart: list(hooks.Poststart, hookIn("poststart")),
    poststop: list(hooks.Poststop, hookIn("poststop")),
  };
}

const hookIn =
  (kind: HookKind) =>
  ({ Path, Args, Env, Timeout }: ProtoHook, index: number): Hook => ({
    path: Path,
    args: texts(Args),
    env: texts(Env),
    timeout: Timeout > 0n ? integer(`hooks.${kind}[${index}].timeout`, Timeout) : undefined,
  });

function convertLinux(linux: ProtoLinux): Linux {
  const { Resources, Seccomp, IntelRdt } = linux;
  return {
    namespaces: list(linux.Namespaces, ({ Type, Path }, index) => ({
      type: namespaceType(`linux.namespaces[${index}].type`, Type),
      path: text(Path),
    })),
    uidMappings: list(linux.UIDMappings, idMapping),
    gidMappings: list(linux.GIDMappings, idMapping),
    devices: list(linux.Devices, device),
    cgroupsPath: text(linux.CgroupsPath),
    resources: Resources && resourcesFromProto(Resources),
    rootfsPropagation: rootfsPropagation(linux.RootfsPropagation),
    seccomp: Seccomp && seccompFromProto(Seccomp),
    sysctl: map(linux.Sysctl),
    maskedPaths: texts(linux.MaskedPaths),
    readonlyPaths: texts(linux.ReadonlyPaths),
    mountLabel: text(linux.MountLabel),
    intelRdt: IntelRdt && { l3CacheSchema: text(IntelRdt.L3CacheSchema) },
  };
}

function idMapping({ ContainerID, HostID, Size }: ProtoIdMapping): IdMapping {
  return { containerID: ContainerID, hostID: HostID, size: Size };
}

/** Mode and owner are taken as sent, zero too: the message has no other way to say 0. */
function device(
  { Path, Type, Major, Minor, FileMode, UID, GID }: ProtoDevice,
  index: number,
): Device {
  const at = `linux.devices[${index}]`;
  return {
    path: Path,
    type: oneOf(DEVICE_TYPES, `${at}.type`, Type),
    major: integer(`${at}.major`, Major),
    minor: integer(`${at}.minor`, Minor),
    fileMode: FileMode,
    uid: UID,
    gid: GID,
  };
}

function rootfsPropagation(value: string): RootfsPropagation | undefined {
  if (value === "") return undefined;
  return oneOf(ROOTFS_PROPAGATIONS, "linux.rootfsPropagation", value);
}
