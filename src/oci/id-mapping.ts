// Id mappings of a user namespace: user_namespaces(7).
import { InvalidSpec } from "./invalid-spec.ts";
import type { IdMapping } from "./spec.ts";

/** Of a user namespace whole. */
export type IdMaps = { readonly uid: readonly IdMapping[]; readonly gid: readonly IdMapping[] };

/** UID_GID_MAP_MAX_EXTENTS of linux/user_namespace.h. */
const MOST_EXTENTS = 340;
/** The kernel takes a map in one write of less than a page, and pages have 4 KiB at least. */
const LONGEST_MAP = 4095;
/** 2^32 − 1 is no id: it means "leave it as it is". */
const IDS = 2 ** 32 - 1;

/** What /proc/<pid>/uid_map takes. An entry of size 0 maps nothing, so it is left out. */
export function idMapText(mappings: readonly IdMapping[]): string {
  return used(mappings)
    .map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`)
    .join("");
}

/** What /proc/<pid>/uid_map shows: three numbers a line. */
export function parseIdMap(text: string): IdMapping[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [containerID = 0, hostID = 0, size = 0] = line.trim().split(/\s+/).map(Number);
      return { containerID, hostID, size };
    });
}

/** What an id of the container is outside. undefined: it is not mapped. */
export function hostId(mappings: readonly IdMapping[], id: number): number | undefined {
  const found = mappings.find(({ containerID, size }) => isWithin(id, containerID, size));
  return found && id - found.containerID + found.hostID;
}

/** What an id from outside is in the container. */
export function containerId(mappings: readonly IdMapping[], id: number): number | undefined {
  const found = mappings.find(({ hostID, size }) => isWithin(id, hostID, size));
  return found && id - found.hostID + found.containerID;
}

/** True if both map the same ids to the same ids, however they are written. */
export function isSameMap(one: readonly IdMapping[], other: readonly IdMapping[]): boolean {
  const canonical = (mappings: readonly IdMapping[]) =>
    idMapText(mappings.toSorted((a, b) => a.containerID - b.containerID));
  return canonical(one) === canonical(other);
}

/** Throws InvalidSpec, with the entry's name below `field`, for what the kernel would refuse. */
export function checkMappings(field: string, mappings: readonly IdMapping[]): void {
  if (mappings.length > MOST_EXTENTS)
    throw new InvalidSpec(`${field}: ${mappings.length} entries, the kernel takes ${MOST_EXTENTS}`);
  for (const [index, { containerID, hostID, size }] of mappings.entries())
    if (containerID + size > IDS || hostID + size > IDS)
      throw new InvalidSpec(`${field}[${index}]: goes beyond the last id, ${IDS - 1}`);
  refuseOverlap(field, mappings, "containerID");
  refuseOverlap(field, mappings, "hostID");
  const { length } = idMapText(mappings);
  if (length > LONGEST_MAP)
    throw new InvalidSpec(`${field}: ${length} bytes as text, the kernel takes ${LONGEST_MAP}`);
}

function refuseOverlap(
  field: string,
  mappings: readonly IdMapping[],
  side: "containerID" | "hostID",
): void {
  const sorted = used(mappings).toSorted((a, b) => a[side] - b[side]);
  for (const [index, mapping] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before === undefined || before[side] + before.size <= mapping[side]) continue;
    const at = mappings.indexOf(mapping);
    throw new InvalidSpec(
      `${field}[${at}].${side}: ${mapping[side]} is mapped by ${field}[${mappings.indexOf(before)}], too`,
    );
  }
}

/** Throws InvalidSpec if the user namespace has no such id. */
export function checkMapped(field: string, mappings: readonly IdMapping[], id: number): void {
  if (hostId(mappings, id) === undefined) throw new InvalidSpec(`${field}: ${id} is not mapped`);
}

function used(mappings: readonly IdMapping[]): readonly IdMapping[] {
  return mappings.filter(({ size }) => size > 0);
}

function isWithin(id: number, first: number, size: number): boolean {
  return id >= first && id < first + size;
}
