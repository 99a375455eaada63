// grpc.LinuxSeccomp → Seccomp. Presence rules: rpc.md section 7.5.
import type { LinuxSeccomp as ProtoSeccomp, LinuxSyscall as ProtoSyscall } from "../gen/oci_pb.ts";
import { oneOf } from "./invalid-spec.ts";
import { integer, list } from "./proto-value.ts";
import {
  SECCOMP_ACTIONS,
  SECCOMP_ARCHITECTURES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
  type Seccomp,
  type SeccompSyscall,
} from "./seccomp.ts";

/** Throws InvalidSpec for an action, architecture, flag or operator that does not exist. */
export function seccompFromProto(seccomp: ProtoSeccomp): Seccomp {
  const at = "linux.seccomp";
  return {
    defaultAction: oneOf(SECCOMP_ACTIONS, `${at}.defaultAction`, seccomp.DefaultAction),
    architectures: list(seccomp.Architectures, (name) =>
      oneOf(SECCOMP_ARCHITECTURES, `${at}.architectures`, name),
    ),
    flags: list(seccomp.Flags, (name) => oneOf(SECCOMP_FLAGS, `${at}.flags`, name)),
    syscalls: list(seccomp.Syscalls, (rule, index) => syscall(rule, `${at}.syscalls[${index}]`)),
  };
}

function syscall(rule: ProtoSyscall, at: string): SeccompSyscall {
  return {
    names: rule.Names,
    action: oneOf(SECCOMP_ACTIONS, `${at}.action`, rule.Action),
    // One of the two Kata runtimes sends 0 for "not set"; an ERRNO rule that returned 0 would tell
    // the caller that a call which never ran has succeeded.
    errnoRet: rule.ErrnoRet.value === 0 ? undefined : rule.ErrnoRet.value,
    args: list(rule.Args, ({ Index, Value, ValueTwo, Op }, index) => ({
      index: integer(`${at}.args[${index}].index`, Index),
      value: Value,
      valueTwo: ValueTwo,
      op: oneOf(SECCOMP_OPERATORS, `${at}.args[${index}].op`, Op),
    })),
  };
}
