// Docker's default profile as the request's message has it.
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
