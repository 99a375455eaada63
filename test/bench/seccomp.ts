// Docker's default profile twice: as the request's message, and as config.json has it.
import { create } from "@bufbuild/protobuf";
import { type LinuxSeccomp, LinuxSeccompSchema } from "../../src/gen/oci_pb.ts";
import type { Seccomp, SeccompSyscall } from "../../src/oci/seccomp.ts";
import { dockerProfile } from "../support/seccomp-profiles.ts";

const profile: Seccomp = dockerProfile(process.arch === "arm64" ? "arm64" : "x86_64");

/** The protocol has no default errno: it is EPERM, as in the profile. */
export function profileMessage(): LinuxSeccomp {
  const { defaultAction, architectures = [], syscalls = [] } = profile;
  return create(LinuxSeccompSchema, {
    DefaultAction: defaultAction,
    Architectures: [...architectures],
    Syscalls: syscalls.map(ruleMessage),
  });
}

function ruleMessage({ names, action, errnoRet, args = [] }: SeccompSyscall) {
  return {
    Names: [...names],
    Action: action,
    ...(errnoRet !== undefined && {
      ErrnoRet: { case: "errnoret", value: errnoRet } as const,
    }),
    Args: args.map(({ index, value, valueTwo, op }) => ({
      Index: BigInt(index),
      Value: value,
      ValueTwo: valueTwo,
      Op: op,
    })),
  };
}

/** 64-bit values as plain numbers: none in the profile is beyond 2^53. */
export function profileJson(): unknown {
  const text = JSON.stringify(profile, (_, value) =>
    typeof value === "bigint" ? Number(value) : value,
  );
  return JSON.parse(text);
}
