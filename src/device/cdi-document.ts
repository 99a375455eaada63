// Reading a document of the Container Device Interface, strictly: nobody is to believe that a container has
// what it has not. storage-devices-network.md section 5.3.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import {
  type Decode,
  array,
  closed,
  flag,
  integer,
  optional,
  record,
  text,
  texts,
  u32,
  unsigned,
} from "../oci/json-value.ts";
import { isCdiDevice, isCdiKind } from "./cdi-name.ts";
import type {
  CdiDevice,
  CdiDeviceNode,
  CdiEdits,
  CdiHook,
  CdiIntelRdt,
  CdiMount,
  CdiNetDevice,
  CdiSpec,
} from "./cdi-spec.ts";
import { CDI_VERSIONS, leastVersion } from "./cdi-version.ts";

const edits = closed<CdiEdits>({
  env: optional(texts),
  deviceNodes: optional(
    array(
      closed<CdiDeviceNode>({
        path: text,
        hostPath: optional(text),
        type: optional(text),
        major: optional(integer(-1, 2 ** 12 - 1)),
        minor: optional(integer(-1, 2 ** 20 - 1)),
        fileMode: optional(integer(0, 0o177777)),
        permissions: optional(text),
        uid: optional(u32),
        gid: optional(u32),
      }),
      "device nodes",
    ),
  ),
  netDevices: optional(
    array(closed<CdiNetDevice>({ hostInterfaceName: text, name: text }), "network devices"),
  ),
  mounts: optional(
    array(
      closed<CdiMount>({
        hostPath: text,
        containerPath: text,
        type: optional(text),
        options: optional(texts),
      }),
      "mounts",
    ),
  ),
  hooks: optional(
    array(
      closed<CdiHook>({
        hookName: text,
        path: text,
        args: optional(texts),
        env: optional(texts),
        timeout: optional(unsigned),
      }),
      "hooks",
    ),
  ),
  intelRdt: optional(
    closed<CdiIntelRdt>({
      closID: optional(text),
      l3CacheSchema: optional(text),
      memBwSchema: optional(text),
      schemata: optional(texts),
      enableCMT: optional(flag),
      enableMBM: optional(flag),
      enableMonitoring: optional(flag),
    }),
  ),
  additionalGids: optional(array(u32, "group ids")),
});

const spec: Decode<CdiSpec> = closed<CdiSpec>({
  cdiVersion: text,
  kind: text,
  annotations: optional(record(text)),
  devices: array(
    closed<CdiDevice>({ name: text, annotations: optional(record(text)), containerEdits: edits }),
    "devices",
  ),
  containerEdits: optional(edits),
});

/** `path`, of the file, begins the text of what is wrong. Throws InvalidSpec. */
export function cdiSpecFrom(value: unknown, path: string): CdiSpec {
  const decoded = spec(value, path);
  const { kind, cdiVersion, devices } = decoded;
  const refuse = (what: string) => new InvalidSpec(`${path}: ${what}`);
  if (!isCdiKind(kind)) throw refuse(`${quote(kind)} is no kind of CDI devices`);
  if (!CDI_VERSIONS.includes(cdiVersion)) throw refuse(`unknown CDI version ${quote(cdiVersion)}`);
  const least = leastVersion(decoded);
  if (CDI_VERSIONS.indexOf(cdiVersion) < CDI_VERSIONS.indexOf(least)) {
    throw refuse(`has what CDI ${cdiVersion} does not have and ${least} has`);
  }
  if (devices.length === 0) throw refuse("has no devices");
  const names = new Set<string>();
  for (const { name, containerEdits } of devices) {
    if (!isCdiDevice(name)) throw refuse(`${quote(name)} is no name of a CDI device`);
    if (names.has(name)) throw refuse(`has the device ${quote(name)} twice`);
    if (Object.keys(containerEdits).length === 0) throw refuse(`${quote(name)} changes nothing`);
    names.add(name);
  }
  return decoded;
}
