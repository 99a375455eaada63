// What a filter answers, as the kernel's word for it.
import { errnoNumber } from "../linux/errno.ts";
import { SECCOMP_RET } from "../linux/seccomp.ts";
import type { SeccompAction } from "../oci/seccomp.ts";

const ANSWERS: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET.KILL_PROCESS,
  SCMP_ACT_TRAP: SECCOMP_RET.TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET.ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET.TRACE,
  SCMP_ACT_LOG: SECCOMP_RET.LOG,
  SCMP_ACT_ALLOW: SECCOMP_RET.ALLOW,
  SCMP_ACT_NOTIFY: SECCOMP_RET.USER_NOTIF,
};

export const ENOSYS = SECCOMP_RET.ERRNO + errnoNumber("ENOSYS");

/** SECCOMP_RET_* with its data. */
export function answerOf(action: SeccompAction, errnoRet: number | undefined): number {
  const answer = ANSWERS[action];
  if (action === "SCMP_ACT_ERRNO") return answer + data(errnoRet ?? errnoNumber("EPERM"));
  return action === "SCMP_ACT_TRACE" ? answer + data(errnoRet ?? 0) : answer;
}

function data(errnoRet: number): number {
  return errnoRet & SECCOMP_RET.DATA;
}

/**
 * Lets calls through, now or once a tracer has said so. Then the kernel, or the tracer, says ENOSYS
 * for what it does not know.
 */
export function isPermissive(action: SeccompAction): boolean {
  return ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(action);
}
