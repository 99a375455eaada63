// System calls that x86 also has, or has only, as an operation of socketcall(2) or ipc(2). Who allows
// or forbids `connect` means both ways to it.
import type { SeccompArg } from "../oci/seccomp.ts";

/** `operation`: the condition that it is this one. */
type Multiplexed = { readonly call: string; readonly operation: SeccompArg };

/** linux/net.h: SYS_* in the order of their numbers, from 1. */
const SOCKETCALL = `
  socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom
  shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg
`;

/** linux/ipc.h */
const IPC = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
} as const;

export const MULTIPLEXED: ReadonlyMap<string, Multiplexed> = new Map([
  ...SOCKETCALL.trim()
    .split(/\s+/)
    .map((name, index) => entry(name, "socketcall", index + 1)),
  ...Object.entries(IPC).map(([name, operation]) => entry(name, "ipc", operation)),
]);

function entry(name: string, call: string, operation: number): readonly [string, Multiplexed] {
  const value = BigInt(operation);
  return [name, { call, operation: { index: 0, value, valueTwo: 0n, op: "SCMP_CMP_EQ" } }];
}
