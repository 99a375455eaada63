// Resource limits, the OOM score and the scheduling of the process.
import { AT_FDCWD, RLIMIT } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { close, writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { setrlimit } from "../linux/process.ts";
import type { Rlimit } from "../oci/process.ts";
import type { LabelledCall, Tape } from "../tape/tape.ts";

/** While the agent's /proc is in sight. */
export function setOomScore(tape: Tape, score: number | undefined): void {
  if (score === undefined) return;
  const file = tape.fd(
    "open oom_score_adj",
    openat(AT_FDCWD, "/proc/self/oom_score_adj", O.WRONLY),
  );
  tape.do(`set oom_score_adj to ${score}`, writeText(file, String(score)));
  tape.do("close oom_score_adj", close(file));
}

/** Late, since few open files allowed would hinder the steps before; as root, which may raise them. */
export function rlimitCalls(pid: number, rlimits: readonly Rlimit[]): readonly LabelledCall[] {
  return rlimits.map(({ type, soft, hard }) => {
    const name = type.slice("RLIMIT_".length) as keyof typeof RLIMIT;
    return {
      label: `set ${type} to ${soft}:${hard}`,
      call: setrlimit(RLIMIT[name], soft, hard, pid),
    };
  });
}
