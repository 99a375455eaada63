// A container's spec with what its CDI devices want of it: storage-devices-network.md section 5.3.
import { internal } from "../error.ts";
import type { DeviceNumber } from "../kernel/file.ts";
import { HOOK_KINDS, mergeHooks } from "../oci/hooks.ts";
import { oneOf, quote } from "../oci/invalid-spec.ts";
import { DEVICE_CGROUP_TYPES, type DeviceCgroup } from "../oci/resources.ts";
import {
  DEVICE_TYPES,
  type Device,
  type Hooks,
  type IntelRdt,
  type Linux,
  type Mount,
} from "../oci/spec.ts";
import type { ContainerProcess, ContainerSpec } from "../oci/valid-spec.ts";
import type { CdiDeviceNode, CdiEdits, CdiHook, CdiIntelRdt, CdiMount } from "./cdi-spec.ts";

/** What the guest has at a path. Throws an AgentError for no node. */
export type LookAt = (path: string) => DeviceNumber;

/** All edits, one after the other. Throws InvalidSpec, an AgentError, and what `lookAt` throws. */
export function withCdiEdits(
  spec: ContainerSpec,
  edits: readonly CdiEdits[],
  lookAt: LookAt,
): ContainerSpec {
  const all = <Key extends keyof CdiEdits>(key: Key) => edits.map((each) => each[key] ?? []).flat();
  const process = editProcess(spec.process, all("env"), all("additionalGids"));
  const nodes = all("deviceNodes").map((node) => deviceOf(node, process, lookAt));
  const netDevices = all("netDevices").map(({ hostInterfaceName, name }) => [
    hostInterfaceName,
    { name },
  ]);
  const linux = withNodes(spec.linux, nodes);
  return {
    ...spec,
    process,
    mounts: withMounts(spec.mounts ?? [], all("mounts")),
    hooks: all("hooks")
      .map(hooksOf)
      .reduce(mergeHooks, spec.hooks ?? {}),
    linux: {
      ...linux,
      netDevices: { ...linux.netDevices, ...Object.fromEntries(netDevices) },
      intelRdt: edits.reduce((rdt, edit) => rdtOf(edit.intelRdt, rdt), linux.intelRdt),
    },
  };
}

/** A name that one of the edits has set before is set again; what the spec itself has stays. */
function editProcess(
  process: ContainerProcess,
  env: readonly string[],
  gids: readonly number[],
): ContainerProcess {
  const added = new Map(env.map((entry) => [entry.split("=", 1)[0] ?? "", entry]));
  const { user } = process;
  const groups = new Set([...(user.additionalGids ?? []), ...gids.filter((gid) => gid > 0)]);
  return {
    ...process,
    env: [...(process.env ?? []), ...added.values()],
    user: { ...user, additionalGids: [...groups] },
  };
}

type Node = { readonly device: Device; readonly rule: DeviceCgroup | undefined };

/** What the document does not say of the node is as the guest has it, and it is the user's. */
function deviceOf(node: CdiDeviceNode, { user }: ContainerProcess, lookAt: LookAt): Node {
  const { path, fileMode, permissions = "" } = node;
  const number = numberOf(node, lookAt);
  const own = (id: number) => (id > 0 ? id : undefined);
  const { uid = own(user.uid), gid = own(user.gid) } = node;
  const device = { ...number, path, fileMode, uid, gid };
  const type = DEVICE_CGROUP_TYPES.find((each) => each === number.type);
  if (type === undefined) return { device, rule: undefined };
  const access = permissions === "none" ? "" : permissions || "rwm";
  return { device, rule: { ...number, allow: true, type, access } };
}

function numberOf(node: CdiDeviceNode, lookAt: LookAt): Pick<Device, "type" | "major" | "minor"> {
  const { path, hostPath = "", type = "", major = 0, minor = 0 } = node;
  if (type !== "" && (major !== 0 || type === "p")) {
    return { type: oneOf(DEVICE_TYPES, `CDI device node ${path}: type`, type), major, minor };
  }
  const found = lookAt(hostPath || path);
  if (type !== "" && type !== found.type) {
    throw internal(`CDI device node ${quote(path)} is of type ${found.type}, not ${type}`);
  }
  return found;
}

function withNodes(linux: Linux, nodes: readonly Node[]): Linux {
  if (nodes.length === 0) return linux;
  const byPath = new Map(nodes.map(({ device }) => [device.path, device]));
  const others = (linux.devices ?? []).filter(({ path }) => !byPath.has(path));
  const rules = nodes.flatMap(({ rule }) => rule ?? []);
  return {
    ...linux,
    devices: [...others, ...byPath.values()],
    resources: { ...linux.resources, devices: [...(linux.resources?.devices ?? []), ...rules] },
  };
}

/** Each takes the place of one that the spec has there. */
function withMounts(mounts: readonly Mount[], added: readonly CdiMount[]): readonly Mount[] {
  const result = [...mounts];
  for (const { hostPath, containerPath, type, options } of added) {
    const at = result.findIndex(({ destination }) => destination === containerPath);
    if (at >= 0) result.splice(at, 1);
    result.push({ destination: containerPath, source: hostPath, type, options });
  }
  return result;
}

function hooksOf({ hookName, path, args, env, timeout }: CdiHook): Hooks {
  return { [oneOf(HOOK_KINDS, "CDI hook", hookName)]: [{ path, args, env, timeout }] };
}

function rdtOf(rdt: CdiIntelRdt | undefined, before: IntelRdt | undefined): IntelRdt | undefined {
  if (rdt === undefined) return before;
  const { enableCMT, enableMBM, ...rest } = rdt;
  return { ...before, ...rest, enableMonitoring: rest.enableMonitoring ?? enableCMT ?? enableMBM };
}
