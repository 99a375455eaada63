// Rules for what runs: the container's first process and every exec.
import { InvalidSpec, invalidField, quote } from "./invalid-spec.ts";
import { isAbsolute } from "./path-components.ts";
import type { Process } from "./process.ts";
import { checkSelinuxLabel } from "./selinux-label.ts";
import type { ContainerProcess } from "./valid-spec.ts";
import { validCpuAffinity, validIoPriority, validScheduler } from "./validate-scheduling.ts";
import { refuseNul } from "./validate-text.ts";

type Check = (process: Process) => void;

/** In this order; the first that throws decides. */
const CHECKS: readonly Check[] = [
  noNul,
  absoluteCwd,
  usableIds,
  orderedRlimits,
  consistentCapabilities,
  oomScoreAdjInRange,
  usableUmask,
  visibleConsole,
  validScheduler,
  validIoPriority,
  validCpuAffinity,
  wellFormedLabel,
];

/** The same process, known to have a command. Throws InvalidSpec. */
export function validateProcess(process: Process): ContainerProcess {
  const [command, ...rest] = process.args ?? [];
  if (command === undefined) throw new InvalidSpec("process.args is empty");
  for (const check of CHECKS) check(process);
  return { ...process, args: [command, ...rest] };
}

function noNul(process: Process): void {
  refuseNul(process, "process");
}

function absoluteCwd({ cwd }: Process): void {
  if (!isAbsolute(cwd)) throw new InvalidSpec(`process.cwd ${quote(cwd)} is not an absolute path`);
}

/** To setresuid(2) and setresgid(2) this id means "leave it as it is", which is root. */
const UNCHANGED = 0xffff_ffff;

function usableIds({ user }: Process): void {
  const ids = [
    ["uid", user.uid],
    ["gid", user.gid],
    ...(user.additionalGids ?? []).map((gid) => ["additionalGids", gid] as const),
  ] as const;
  const bad = ids.find(([, id]) => id === UNCHANGED);
  if (bad !== undefined) throw invalidField(`process.user.${bad[0]}`, String(UNCHANGED));
}

/** umask(2) looks at these bits only. */
const PERMISSIONS = 0o777;

function usableUmask({ user: { umask = 0 } }: Process): void {
  if (umask > PERMISSIONS) throw invalidField("process.user.umask", `0${umask.toString(8)}`);
}

/** The kernel keeps 16 bits of each (struct winsize): more would be another size. */
const LONGEST_LINE = 0xffff;

function visibleConsole({ consoleSize = { height: 0, width: 0 } }: Process): void {
  const bad = Object.entries(consoleSize).find(([, size]) => size > LONGEST_LINE);
  if (bad !== undefined) throw invalidField(`process.consoleSize.${bad[0]}`, String(bad[1]));
}

function orderedRlimits({ rlimits = [] }: Process): void {
  const seen = new Set<string>();
  for (const { type, soft, hard } of rlimits) {
    if (soft > hard)
      throw new InvalidSpec(`${type}: soft limit ${soft} exceeds hard limit ${hard}`);
    if (seen.has(type)) throw new InvalidSpec(`${type} is set twice`);
    seen.add(type);
  }
}

/**
 * capset(2) refuses an effective set that is not within the permitted one. An ambient capability
 * that is not both permitted and inheritable is no error: it is dropped, as runc does.
 */
function consistentCapabilities({ capabilities }: Process): void {
  const { effective = [], permitted = [] } = capabilities ?? {};
  const extra = effective.find((name) => !permitted.includes(name));
  if (extra !== undefined)
    throw new InvalidSpec(`capability ${extra} is effective but not permitted`);
}

/** proc(5), /proc/pid/oom_score_adj */
function oomScoreAdjInRange({ oomScoreAdj = 0 }: Process): void {
  if (oomScoreAdj < -1000 || oomScoreAdj > 1000)
    throw invalidField("process.oomScoreAdj", String(oomScoreAdj));
}

function wellFormedLabel({ selinuxLabel }: Process): void {
  checkSelinuxLabel("process", selinuxLabel);
}
