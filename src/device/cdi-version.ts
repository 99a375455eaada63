// Versions of CDI documents, and which of them brought what (its SPEC.md, "Version history").
import type { CdiEdits, CdiSpec } from "./cdi-spec.ts";

/** In their order. */
export const CDI_VERSIONS: readonly string[] = [
  "0.1.0",
  "0.2.0",
  "0.3.0",
  "0.4.0",
  "0.5.0",
  "0.6.0",
  "0.7.0",
  "0.8.0",
  "1.0.0",
  "1.1.0",
];

type Rule = readonly [version: string, isUsed: (spec: CdiSpec) => boolean];

/** The latest first. */
const RULES: readonly Rule[] = [
  ["1.1.0", hasEdit(({ netDevices, intelRdt }) => isLong(netDevices) || hasNewRdt(intelRdt))],
  [
    "0.7.0",
    hasEdit(({ intelRdt, additionalGids }) => intelRdt !== undefined || isLong(additionalGids)),
  ],
  ["0.6.0", usesAnnotations],
  ["0.5.0", usesHostPathOrDigit],
  ["0.4.0", hasEdit(({ mounts = [] }) => mounts.some(({ type = "" }) => type !== ""))],
];

/** The first version that has all of it. */
export function leastVersion(spec: CdiSpec): string {
  return RULES.find(([, isUsed]) => isUsed(spec))?.[0] ?? "0.1.0";
}

function hasEdit(isIt: (edits: CdiEdits) => boolean): (spec: CdiSpec) => boolean {
  return ({ devices, containerEdits = {} }) =>
    [containerEdits, ...devices.map((device) => device.containerEdits)].some(isIt);
}

function hasNewRdt(rdt: CdiEdits["intelRdt"]): boolean {
  return rdt?.schemata !== undefined || rdt?.enableMonitoring !== undefined;
}

/** And a class with a dot in its name, which came at the same time. */
function usesAnnotations({ kind, annotations, devices }: CdiSpec): boolean {
  const all = [annotations, ...devices.map((device) => device.annotations)];
  const hasDot = kind.slice(kind.indexOf("/")).includes(".");
  return hasDot || all.some((each = {}) => Object.keys(each).length > 0);
}

function usesHostPathOrDigit(spec: CdiSpec): boolean {
  const hasHostPath = hasEdit(({ deviceNodes = [] }) =>
    deviceNodes.some(({ hostPath = "" }) => hostPath !== ""),
  );
  return hasHostPath(spec) || spec.devices.some(({ name }) => /^\d/.test(name));
}

function isLong(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
