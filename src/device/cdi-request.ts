// Which CDI devices a container is to get: storage-devices-network.md section 5.1.
import { isPodSandbox } from "../oci/annotations.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { type CdiName, cdiText, parseCdiName } from "./cdi-name.ts";

const ANNOTATION = "cdi.k8s.io/";
const VARIABLE = "VISIBLE_CDI_DEVICES";

/** Words for no device. */
const NONE: readonly string[] = ["", "none", "void"];

/** A node has some dozens of GPUs. */
const MOST = 1024;
const LARGEST_INDEX = 0xffff_ffff;

/**
 * Each once, in the order of the annotations' keys; then those of the environment, if `heedsVariable`.
 * The pod's own container gets none. Throws InvalidSpec.
 */
export function requestedCdiDevices(
  { annotations = {}, process }: ContainerSpec,
  heedsVariable: boolean,
): readonly CdiName[] {
  if (isPodSandbox(annotations)) return [];
  const names = Object.entries(annotations)
    .filter(([key]) => key.startsWith(ANNOTATION))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([key, value]) => listOf(value).map((name) => parseCdiName(name, key)));
  const visible = heedsVariable ? visibleDevices(process.env ?? []) : [];
  const each = new Map([...names, ...visible].map((name) => [cdiText(name), name]));
  if (each.size > MOST) throw tooMany(each.size);
  return [...each.values()];
}

/** What stands between commas. Throws InvalidSpec for too much. */
function listOf(text: string): readonly string[] {
  const words = text.split(",");
  if (words.length > MOST) throw tooMany(words.length);
  return words;
}

function tooMany(count: number): InvalidSpec {
  return new InvalidSpec(`${count} CDI devices, ${MOST} are the most`);
}

/** `nvidia.com/gpu=all:nvidia.com/ib=0,1` */
function visibleDevices(env: readonly string[]): readonly CdiName[] {
  const entry = env.find((each) => each.startsWith(`${VARIABLE}=`)) ?? "";
  const value = entry.slice(VARIABLE.length + 1).trim();
  if (NONE.includes(value)) return [];
  return value.split(":").flatMap((part) => devicesIn(part.trim()));
}

function devicesIn(part: string): readonly CdiName[] {
  const at = part.indexOf("=");
  const kind = part.slice(0, at).trim();
  const words = listOf(part.slice(at + 1)).map((word) => word.trim());
  const isWrong = words.some((word) => word !== "all" && !isIndex(word));
  if (at < 1 || isWrong || (words.includes("all") && words.length > 1)) {
    throw new InvalidSpec(`${VARIABLE}: ${quote(part)} is not <kind>=all or <kind>=<numbers>`);
  }
  return words.map((word) => parseCdiName(`${kind}=${word}`, VARIABLE));
}

function isIndex(word: string): boolean {
  return /^\d{1,10}$/.test(word) && Number(word) <= LARGEST_INDEX;
}
