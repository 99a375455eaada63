// grpc.Process → Process. Presence rules: rpc.md section 7.2.
import type {
  LinuxCapabilities as ProtoCapabilities,
  POSIXRlimit as ProtoRlimit,
  Process as ProtoProcess,
  User as ProtoUser,
} from "../gen/oci_pb.ts";
import { type CapabilityName, capabilitySet } from "./capability.ts";
import { oneOf } from "./invalid-spec.ts";
import type { Capabilities, Process, Rlimit, User } from "./process.ts";
import { count, list, text, texts } from "./proto-value.ts";
import { RLIMIT_TYPES } from "./rlimit.ts";

/** Throws InvalidSpec for a capability or resource limit that does not exist. */
export function processFromProto(process: ProtoProcess): Process {
  const { ConsoleSize, Capabilities } = process;
  return {
    terminal: process.Terminal,
    consoleSize: ConsoleSize && { height: ConsoleSize.Height, width: ConsoleSize.Width },
    user: convertUser(process.User),
    args: process.Args,
    env: texts(process.Env),
    cwd: process.Cwd,
    capabilities: Capabilities && convertCapabilities(Capabilities),
    rlimits: list(process.Rlimits, rlimit),
    noNewPrivileges: process.NoNewPrivileges,
    apparmorProfile: text(process.ApparmorProfile),
    oomScoreAdj: count("process.oomScoreAdj", process.OOMScoreAdj),
    selinuxLabel: text(process.SelinuxLabel),
  };
}

/** A message that is not sent reads as its zero value: a process without user is root's. */
function convertUser(user: ProtoUser | undefined): User {
  return {
    uid: user?.UID ?? 0,
    gid: user?.GID ?? 0,
    additionalGids: user?.AdditionalGids ?? [],
    username: text(user?.Username ?? ""),
  };
}

/** A list that is empty is an empty set; only an absent message leaves the sets open. */
function convertCapabilities(sets: ProtoCapabilities): Capabilities {
  return {
    bounding: names("bounding", sets.Bounding),
    effective: names("effective", sets.Effective),
    inheritable: names("inheritable", sets.Inheritable),
    permitted: names("permitted", sets.Permitted),
    ambient: names("ambient", sets.Ambient),
  };
}

function names(set: string, given: readonly string[]): readonly CapabilityName[] {
  return capabilitySet(`process.capabilities.${set}`, given);
}

function rlimit({ Type, Hard, Soft }: ProtoRlimit, index: number): Rlimit {
  return {
    type: oneOf(RLIMIT_TYPES, `process.rlimits[${index}].type`, Type),
    hard: Hard,
    soft: Soft,
  };
}
