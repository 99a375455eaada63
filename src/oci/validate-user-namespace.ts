// Rules for a user namespace: its id mappings, and that all ids of the spec are among them.
import { type IdMaps, checkMapped, checkMappings } from "./id-mapping.ts";
import { InvalidSpec } from "./invalid-spec.ts";
import { hasNamespace } from "./namespace.ts";
import type { Process } from "./process.ts";
import type { IdMapping } from "./spec.ts";
import type { ContainerSpec } from "./valid-spec.ts";

export function validIdMappings(spec: ContainerSpec): void {
  const { linux, process } = spec;
  const { uidMappings = [], gidMappings = [] } = linux;
  const isMapped = uidMappings.length + gidMappings.length > 0;
  if (!hasNamespace(linux, "user")) {
    if (!isMapped) return;
    throw new InvalidSpec("user namespace: No user namespace, but uid or gid mapping exists");
  }
  // One to join has its own; those of the spec are compared with it when it is.
  if (!isMapped && linux.namespaces?.some(({ type, path }) => type === "user" && path)) return;
  checkNotEmpty("uid", uidMappings);
  checkNotEmpty("gid", gidMappings);
  checkMappings("linux.uidMappings", uidMappings);
  checkMappings("linux.gidMappings", gidMappings);
  const maps = { uid: uidMappings, gid: gidMappings };
  // What is mounted and made for the container is its root's.
  checkMapped("linux.uidMappings", uidMappings, 0);
  checkMapped("linux.gidMappings", gidMappings, 0);
  checkMappedUser(process, maps);
  for (const [index, { uid = 0, gid = 0 }] of (linux.devices ?? []).entries()) {
    checkMapped(`linux.devices[${index}].uid`, uidMappings, uid);
    checkMapped(`linux.devices[${index}].gid`, gidMappings, gid);
  }
}

/** Throws InvalidSpec for a user or a group that the user namespace has not. */
export function checkMappedUser({ user }: Process, { uid, gid }: IdMaps): void {
  checkMapped("process.user.uid", uid, user.uid);
  checkMapped("process.user.gid", gid, user.gid);
  for (const id of user.additionalGids ?? []) checkMapped("process.user.additionalGids", gid, id);
}

function checkNotEmpty(kind: "uid" | "gid", mappings: readonly IdMapping[]): void {
  if (!mappings.some(({ size }) => size > 0))
    throw new InvalidSpec(`user namespace: idmapping ${kind}: No idmap has size > 0`);
}
